"""SOAP envelopes: what a caller asks, and the XML of answers and faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
NIL = f"{{{INSTANCE}}}nil"
TYPE = f"{{{INSTANCE}}}type"
METADATA = "http://soap.sforce.com/2006/04/metadata"
NAMESPACES = {
    "u": "urn:partner.soap.sforce.com",
    "c": "urn:enterprise.soap.sforce.com",
    "m": METADATA,
}
FAULTS = {
    "u": "urn:fault.partner.soap.sforce.com",
    "c": "urn:fault.enterprise.soap.sforce.com",
    "m": METADATA,
}


class BadEnvelope(ValueError):
    """The body is no SOAP envelope with an operation in it."""


@dataclass(frozen=True, slots=True)
class SoapCall:
    """One operation; `headers` holds each header's fields, all by local name."""

    operation: str
    arguments: Element
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def session_id(self) -> str:
        """The token of the SessionHeader."""
        return self.headers.get("SessionHeader", {}).get("sessionId", "")

    def text(self, name: str) -> str:
        """An argument that is text."""
        return text_of(child(self.arguments, name))


def read(raw: bytes) -> SoapCall:
    """The operation of an envelope."""
    # Entities could make a small body huge; no SOAP client sends a document type.
    if b"<!DOCTYPE" in raw:
        raise BadEnvelope("document types are not allowed")
    try:
        envelope = ET.fromstring(raw)
    except ET.ParseError as problem:
        raise BadEnvelope(str(problem)) from None
    body = child(envelope, "Body")
    if local(envelope) != "Envelope" or body is None or len(body) != 1:
        raise BadEnvelope("there is no operation in the envelope")
    header = child(envelope, "Header")
    headers = {} if header is None else {local(each): _fields(each) for each in header}
    return SoapCall(local(body[0]), body[0], headers)


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def child(element: Element, name: str) -> Element | None:
    """The first child of a name, whatever its namespace."""
    return next((each for each in element if local(each) == name), None)


def children(element: Element, name: str) -> list[Element]:
    """The children of a name, whatever their namespace."""
    return [each for each in element if local(each) == name]


def text_of(element: Element | None) -> str:
    """The text in an element, trimmed; "" where there is none."""
    return "" if element is None else (element.text or "").strip()


def is_nil(element: Element) -> bool:
    """Whether an element says `xsi:nil`."""
    return element.get(NIL, "").lower() in {"true", "1"}


def answer(kind: str, operation: str, results: list[Any]) -> str:
    """The envelope of an answer, with one `result` for each of the results."""
    content = "".join(_element("result", each) for each in results)
    return _envelope(kind, f"<{operation}Response>{content}</{operation}Response>")


def fault(kind: str, code: str, message: str, name: str = "UnexpectedErrorFault") -> str:
    """The envelope of a fault."""
    shown = escape(message)
    detail = (
        f'<sf:{name} xsi:type="sf:{name}" xmlns:sf="{FAULTS[kind]}">'
        f"<sf:exceptionCode>{code}</sf:exceptionCode>"
        f"<sf:exceptionMessage>{shown}</sf:exceptionMessage></sf:{name}>"
    )
    return _envelope(
        kind,
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {shown}</faultstring>"
        f"<detail>{detail}</detail></soapenv:Fault>",
        extra=f' xmlns:sf="{FAULTS[kind]}"',
    )


def _envelope(kind: str, content: str, extra: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns="{NAMESPACES[kind]}" '
        f'xmlns:xsi="{INSTANCE}"{extra}><soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>'
    )


def _element(name: str, value: Any) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_element(key, each) for key, each in value.items())}</{name}>"
    if isinstance(value, bool):
        return f"<{name}>{str(value).lower()}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def _fields(element: Element) -> dict[str, str]:
    return {local(each): text_of(each) for each in element}
