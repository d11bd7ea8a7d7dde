/* Talking to the stand-in: fragments of HTML in, JSON both ways.

   A phone of its own (`/?as=…`) says with each request whose it is; the browser's cookie may be
   another person's. */

export class Refused extends Error {}

const { holder, apart } = document.body.dataset;

/* True for a phone that lives in this tab only, beside the one of the browser's cookie. */
export const isApart = apart !== undefined;

function named(headers = {}) {
  return isApart && holder ? { ...headers, "X-Phone": holder } : headers;
}

/* For what cannot send a header. */
export function addressed(address) {
  if (!isApart || !holder) return address;
  return `${address}${address.includes("?") ? "&" : "?"}as=${encodeURIComponent(holder)}`;
}

async function checked(answer) {
  if (answer.status === 401) {
    window.location.reload();
    throw new Refused("请先选择谁拿着手机");
  }
  const now = answer.headers.get("X-Phone-Holder");
  if (now && holder && now !== holder) {
    window.location.reload();
    throw new Refused("手机换了人");
  }
  return answer;
}

export async function getScreen(address) {
  const answer = await checked(await fetch(address, { headers: named({ Accept: "text/html" }) }));
  if (!answer.ok) throw new Refused("页面不存在");
  const place = document.createElement("template");
  place.innerHTML = await answer.text();
  return place.content.firstElementChild;
}

export async function getText(address) {
  const answer = await checked(await fetch(address, { headers: named() }));
  return answer.text();
}

export async function get(address) {
  const answer = await checked(await fetch(address, { headers: named() }));
  return said(answer);
}

export async function post(address, data = {}) {
  const answer = await checked(
    await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Phone": "1", ...named() },
      body: JSON.stringify(data),
    }),
  );
  return said(answer);
}

async function said(answer) {
  const document = await answer.json();
  if (!answer.ok) throw new Refused(document.says || document.error || "操作失败");
  return document;
}
