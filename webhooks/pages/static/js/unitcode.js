// Unit codes: twelve Crockford base32 characters, shown XXXX-XXXX-XXXX, forgiving what a hurried reader confuses.

const CODE = /^[0-9A-HJKMNP-TV-Z]{12}$/;
const LENGTH = 12;

export function readCode(text) {
  const last = text.normalize("NFKC").split(/[?#]/)[0].replace(/\/+$/, "").split("/").pop();
  return last.toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
}

export const isCode = (text) => CODE.test(readCode(text));

export function shownCode(text) {
  const code = readCode(text).slice(0, LENGTH);
  return code.match(/.{1,4}/g)?.join("-") ?? "";
}

// The hyphens follow while one types at the end; a correction in the middle is left alone.
export function hyphenate(input) {
  input.addEventListener("input", (event) => {
    const typing = event.inputType?.startsWith("insert") && input.selectionStart === input.value.length;
    if (typing) input.value = shownCode(input.value);
  });
  input.addEventListener("blur", () => {
    input.value = shownCode(input.value);
  });
}
