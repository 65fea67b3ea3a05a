// Convert, merge and undelete: operations that only the SOAP API has.
"use strict";

const SOAP = "/services/Soap/u/62.0";
const escapeXml = (text) => text.replace(/[<>&'"]/g, (each) => `&#${each.charCodeAt(0)};`);
const element = (name, value) => `<${name}>${escapeXml(value)}</${name}>`;

async function soap(operation, content, again = false) {
  const body = `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com">
    <e:Header><SessionHeader>${element("sessionId", await token(again))}</SessionHeader>
    <CallOptions>${element("client", "SfdcInternalAPI/")}</CallOptions></e:Header>
    <e:Body><${operation}>${content}</${operation}></e:Body></e:Envelope>`;
  const answer = await fetch(SOAP, { method: "POST", headers: { "Content-Type": "text/xml", SOAPAction: '""' }, body });
  const xml = new DOMParser().parseFromString(await answer.text(), "text/xml");
  const first = (name) => xml.getElementsByTagNameNS("*", name)[0]?.textContent ?? "";
  if (first("exceptionCode") === "INVALID_SESSION_ID" && !again) return soap(operation, content, true);
  const ok = answer.ok && first("success") === "true";
  const error = { errorCode: first("statusCode") || first("exceptionCode"), message: first("message") || first("exceptionMessage") };
  return { ok, first, error };
}

async function operate(button, operation, content, next) {
  button.disabled = true;
  try {
    const done = await soap(operation, content);
    if (done.ok) location.href = next(done.first);
    else if (document.getElementById("errors")) showErrors([done.error]);
    else toast(`${done.error.errorCode}: ${done.error.message}`, true);
  } catch {
    toast(texts.failed, true);
  } finally {
    button.disabled = false;
  }
}

function convert(button) {
  const chosen = document.getElementById("convert-contact").selectedOptions[0];
  const ids = chosen.value ? element("accountId", chosen.dataset.account) + element("contactId", chosen.value) : "";
  const deal = document.getElementById("convert-deal").checked;
  const asked = element("leadId", recordId()) + element("convertedStatus", button.dataset.status) + ids
    + element("doNotCreateOpportunity", deal ? "false" : "true");
  operate(button, "convertLead", `<leadConverts>${asked}</leadConverts>`, (first) => `/?tab=Contact&id=${first("contactId")}`);
}

function merge(button) {
  const master = document.getElementById("merge-master").value;
  if (!master || !confirm(texts.really_merge)) return;
  const kept = `<masterRecord>${element("type", recordKind())}${element("Id", master)}</masterRecord>`;
  const asked = `<request>${kept}${element("recordToMergeIds", recordId())}</request>`;
  operate(button, "merge", asked, () => `/?tab=${recordKind()}&id=${master}`);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-operation]");
  if (!button) return;
  if (button.dataset.operation === "convert") convert(button);
  if (button.dataset.operation === "merge") merge(button);
  if (button.dataset.operation === "undelete") {
    operate(button, "undelete", element("ids", button.value), () => `/?tab=${button.dataset.kind}&id=${button.value}`);
  }
});
