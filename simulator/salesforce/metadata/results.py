"""Deployments as the REST resource shows them (facts section 18)."""

from datetime import datetime
from typing import Any

from simulator.salesforce.metadata.changes import Outcome
from simulator.salesforce.metadata.deployments import IN_PROGRESS, Deployment
from simulator.salesforce.metadata.identity import component_id

TESTS = {
    "codeCoverage": [],
    "codeCoverageWarnings": [],
    "failures": [],
    "flowCoverage": [],
    "flowCoverageWarnings": [],
    "numFailures": 0,
    "numTestsRun": 0,
    "successes": [],
    "totalTime": 0.0,
}
FILE_ITSELF = "package.xml"


def shown(deployment: Deployment, *, details: bool) -> dict[str, Any]:
    """The body of a deployment's address."""
    return {
        "id": deployment.id,
        "validatedDeployRequestId": None,
        "deployOptions": deployment.options,
        "deployResult": _result(deployment, details=details),
    }


def _result(deployment: Deployment, *, details: bool) -> dict[str, Any]:
    failed = [each for each in deployment.outcomes if each.is_error]
    done = len(deployment.outcomes) - len(failed)
    result: dict[str, Any] = {
        "id": deployment.id,
        "checkOnly": deployment.checks_only,
        "ignoreWarnings": bool(deployment.options.get("ignoreWarnings")),
        "rollbackOnError": bool(deployment.options.get("rollbackOnError", True)),
        "status": deployment.status,
        "done": deployment.is_done,
        "success": deployment.is_done and deployment.status in {"Succeeded", "SucceededPartial"},
        "numberComponentsTotal": deployment.total,
        "numberComponentsDeployed": done,
        "numberComponentErrors": len(failed),
        "numberTestsTotal": 0,
        "numberTestsCompleted": 0,
        "numberTestErrors": 0,
        "runTestsEnabled": False,
        "createdBy": deployment.user_id,
        "createdByName": deployment.user_name,
        "createdDate": _stamp(deployment.created),
        "startDate": _stamp(deployment.started),
        "completedDate": _stamp(deployment.completed),
        "lastModifiedDate": _stamp(
            deployment.completed or deployment.started or deployment.created
        ),
        "stateDetail": "Processing" if deployment.status == IN_PROGRESS else None,
        "errorMessage": deployment.error,
        "errorStatusCode": "UNKNOWN_EXCEPTION" if deployment.error else None,
        "canceledBy": deployment.user_id if deployment.canceled.is_set() else None,
        "canceledByName": deployment.user_name if deployment.canceled.is_set() else None,
    }
    if details:
        failures = [each for each in deployment.outcomes if each.problem is not None]
        successes = [each for each in deployment.outcomes if each.problem is None]
        result["details"] = {
            "allComponentMessages": [],
            "componentFailures": [_component(each, deployment) for each in failures],
            "componentSuccesses": [
                *([_manifest(deployment)] if deployment.outcomes and not failed else []),
                *(_component(each, deployment) for each in successes),
            ],
            "retrieveResult": None,
            "runTestResult": TESTS,
        }
    return result


def _component(outcome: Outcome, deployment: Deployment) -> dict[str, Any]:
    component = outcome.component
    return {
        "changed": outcome.changed,
        "columnNumber": None,
        "componentType": component.type,
        "created": outcome.created,
        "createdDate": _stamp(deployment.started),
        "deleted": outcome.deleted,
        "fileName": component.file,
        "forPackageManifestFile": False,
        "fullName": component.name,
        "id": None if outcome.is_error else component_id(component.type, component.name),
        "knownPackagingProblem": False,
        "lineNumber": None,
        "problem": outcome.problem,
        "problemType": outcome.problem_type,
        "requiresProductionTestRun": False,
        "success": not outcome.is_error,
        "warning": outcome.problem is not None and not outcome.is_error,
    }


def _manifest(deployment: Deployment) -> dict[str, Any]:
    """The entry of the manifest itself, which names no component."""
    return {
        "changed": True,
        "componentType": "",
        "created": False,
        "createdDate": _stamp(deployment.started),
        "deleted": False,
        "fileName": FILE_ITSELF,
        "fullName": FILE_ITSELF,
        "success": True,
        "warning": False,
    }


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
