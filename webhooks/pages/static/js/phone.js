// Telephone numbers as people here write and read them.

const MOBILE = /^(?:\+?886|0)(9\d{8})$/;
const ANY = /^\+?\d{8,15}$/;

// Full-width digits come from Chinese and Japanese keyboards.
export const plainPhone = (text) =>
  text.normalize("NFKC").replace(/[\s\-().\u2010-\u2015]/g, "").replace(/^8869/, "+8869");

export const isMobile = (text) => MOBILE.test(plainPhone(text));

export const isPhone = (text) => ANY.test(plainPhone(text));

export function readablePhone(text) {
  const mobile = MOBILE.exec(plainPhone(text ?? ""));
  return mobile ? `0${mobile[1].slice(0, 3)}-${mobile[1].slice(3, 6)}-${mobile[1].slice(6)}` : (text ?? "");
}

export function maskedPhone(text) {
  const readable = readablePhone(text);
  if (readable.includes("*")) return readable;
  return readable.replace(/^(.{4}).*(.{3})$/, (whole, head, tail) => `${head}-***-${tail}`);
}

export function maskedEmail(text) {
  if (!text || text.includes("*")) return text ?? "";
  return text.replace(/^(.)[^@]*@/, "$1***@");
}
