/* Talking to the stand-in: fragments of HTML in, JSON both ways. */

export class Refused extends Error {}

async function checked(answer) {
  if (answer.status === 401) {
    window.location.reload();
    throw new Refused("请先选择谁拿着手机");
  }
  const holder = answer.headers.get("X-Phone-Holder");
  if (holder && holder !== document.body.dataset.holder) {
    window.location.reload();
    throw new Refused("手机换了人");
  }
  return answer;
}

export async function getScreen(address) {
  const answer = await checked(await fetch(address, { headers: { Accept: "text/html" } }));
  if (!answer.ok) throw new Refused("页面不存在");
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  return holder.content.firstElementChild;
}

export async function getText(address) {
  const answer = await checked(await fetch(address));
  return answer.text();
}

export async function post(address, data = {}) {
  const answer = await checked(
    await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Phone": "1" },
      body: JSON.stringify(data),
    }),
  );
  const document = await answer.json();
  if (!answer.ok) throw new Refused(document.says || "操作失败");
  return document;
}
