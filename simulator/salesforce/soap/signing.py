"""Signing in and out over SOAP, and what a session knows of its user."""

from typing import Any

from simulator.salesforce.accounts import SignInRefused
from simulator.salesforce.errors import Refusal
from simulator.salesforce.ids import SHORT
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.store import Row

WRONG_LOGIN = "Invalid username, password, security token; or user locked out."
ATTACHMENT_LIMIT = 26_214_400


def login(org: SalesforceOrg, username: str, password: str, address: str) -> dict[str, Any]:
    """The result of `login`; `address` is the SOAP address with kind and version filled in."""
    try:
        org.accounts.check_password(username, password)
    except SignInRefused:
        raise Refusal("INVALID_LOGIN", WRONG_LOGIN) from None
    user, short = org.user(username), org.organization_id[:SHORT]
    return {
        "metadataServerUrl": f"{address.replace('/u/', '/m/').replace('/c/', '/m/')}/{short}",
        "passwordExpired": False,
        "sandbox": False,
        "serverUrl": f"{address}/{short}",
        "sessionId": org.accounts.start_session(username),
        "userId": user["Id"],
        "userInfo": user_info(org, user),
    }


def user_info(org: SalesforceOrg, user: Row) -> dict[str, Any]:
    """The `userInfo` of a login, which `getUserInfo` answers too."""
    company = org.store.tables["Organization"].rows[org.organization_id]
    return {
        "accessibilityMode": False,
        "chatterExternal": False,
        "currencySymbol": "NT$",
        "orgAttachmentFileSizeLimit": ATTACHMENT_LIMIT,
        "orgDefaultCurrencyIsoCode": "TWD",
        "orgDefaultCurrencyLocale": "zh_TW",
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": org.switches.person_accounts,
        "organizationId": org.organization_id,
        "organizationMultiCurrency": False,
        "organizationName": company["Name"],
        "profileId": user["ProfileId"],
        "roleId": None,
        "sessionSecondsValid": org.switches.session_seconds,
        "userDefaultCurrencyIsoCode": None,
        "userEmail": user["Email"],
        "userFullName": user["Name"],
        "userId": user["Id"],
        "userLanguage": user["LanguageLocaleKey"],
        "userLocale": user["LocaleSidKey"],
        "userName": user["Username"],
        "userTimeZone": user["TimeZoneSidKey"],
        "userType": user["UserType"],
        "userUiSkin": "Theme3",
    }
