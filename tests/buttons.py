"""What an agent does by a button of the org's pages, through the SOAP API: merge, convert, bring back."""

from __future__ import annotations

import time
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import requests

from tests.world import World

SPACE = "urn:partner.soap.sforce.com"


def soap(world: World, operation: str, arguments: str) -> None:
    """Make one call and see that it succeeded."""
    token = world.simulators.org["access_token"]
    body = (
        '<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"><se:Header>'
        f"<SessionHeader xmlns='{SPACE}'><sessionId>{token}</sessionId></SessionHeader></se:Header>"
        f'<se:Body><{operation} xmlns="{SPACE}">{arguments}</{operation}></se:Body></se:Envelope>'
    )
    answer = requests.post(
        f"{world.simulators.org_url}/services/Soap/u/62.0",
        data=body.encode(),
        headers={"Content-Type": "text/xml", "SOAPAction": '""'},
        timeout=10,
    )
    elements = ET.fromstring(answer.content).iter()
    told = {each.tag.rpartition("}")[2]: each.text for each in elements}
    assert told.get("success") == "true", answer.text


def merges(world: World, name: str, winner: str, loser: str, **values: str) -> None:
    given = "".join(f"<{field}>{escape(value)}</{field}>" for field, value in values.items())
    master = f"<masterRecord><type>{name}</type><Id>{winner}</Id>{given}</masterRecord>"
    soap(world, "merge", f"<request>{master}<recordToMergeIds>{loser}</recordToMergeIds></request>")


def converts(world: World, lead: str) -> None:
    name = world.simulators.org["username"]
    owner = world.row(f"SELECT Id FROM User WHERE Username = '{name}'")["Id"]
    status = "<convertedStatus>Closed - Converted</convertedStatus>"
    asked = f"<leadId>{lead}</leadId>{status}<ownerId>{owner}</ownerId>"
    soap(
        world,
        "convertLead",
        f"<leadConverts>{asked}<doNotCreateOpportunity>true</doNotCreateOpportunity></leadConverts>",
    )


def undeletes(world: World, row: str) -> None:
    time.sleep(1.1)  # an org keeps whole seconds: within one, what is as it was seems unchanged
    soap(world, "undelete", f"<ids>{row}</ids>")
