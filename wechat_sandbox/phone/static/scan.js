/* 扫一扫 without a camera: a picture from a file, the clipboard, a drop, or another window's screen. */

import { openPage } from "./browser.js";
import { payOrder } from "./cashier.js";
import { post } from "./net.js";
import { dialog, say, toast } from "./overlays.js";
import { pop, push, top } from "./stack.js";

const READER = "/phone/static/vendor/jsqr-1.4.0/jsQR.js";
const NOT_FOUND = "没有识别到二维码，换一张清楚些的图片";
const LARGEST_PX = 2400;
let reader = null;
let whenRead = null;

/* A page of the hospital asks: the text goes to it, nothing is opened. */
export async function readForPage() {
  await push("/phone/scan");
  return new Promise((resolve) => {
    whenRead = resolve;
  });
}

/* The finder was left without a code. */
export function scannerLeft() {
  whenRead?.("");
  whenRead = null;
}

export async function scanText() {
  const { value, text } = await dialog({
    title: "输入二维码内容",
    field: { label: "weixin://… 或 http://…" },
    buttons: [
      { label: "取消", value: false },
      { label: "确定", value: true, main: true },
    ],
  });
  if (value && text) await found(text);
}

export async function scanFile(file) {
  if (!file || !file.type.startsWith("image/")) return;
  const done = toast("识别中", { busy: true });
  let text = "";
  try {
    text = await textOf(await createImageBitmap(file));
  } catch (problem) {
    if (problem.name !== "InvalidStateError") throw problem;
  } finally {
    done();
  }
  await (text ? found(text) : say(NOT_FOUND));
}

/* The browser asks which window or tab; one picture of it is read. */
export async function scanWindow() {
  if (!navigator.mediaDevices?.getDisplayMedia) {
    await say("这个浏览器不能截取别的窗口，请粘贴截图");
    return;
  }
  let text = "";
  try {
    text = await textOnScreen();
  } catch (problem) {
    if (!(problem instanceof DOMException)) throw problem;
    if (problem.name !== "NotAllowedError") await say("截不到那个窗口的画面，请粘贴截图");
    return;
  }
  await (text ? found(text) : say(NOT_FOUND));
}

async function textOnScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { displaySurface: "browser" },
    audio: false,
  });
  try {
    const video = document.createElement("video");
    video.srcObject = stream;
    video.muted = true;
    await video.play();
    for (let tries = 0; tries < 5; tries += 1) {
      const text = await textOf(await createImageBitmap(video));
      if (text) return text;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return "";
  } finally {
    stream.getTracks().forEach((track) => track.stop());
  }
}

export async function found(text) {
  if (whenRead) {
    const tell = whenRead;
    whenRead = null;
    if (isFinder()) pop();
    tell(text);
    return;
  }
  const answer = await post("/phone/scan/text", { text });
  if (answer.do !== "say" && isFinder()) pop();
  await act(answer);
}

async function act(answer) {
  if (answer.do === "pay") await payOrder(answer.sheet);
  else if (answer.do === "browse") openPage(answer.url);
  else if (answer.do === "account") {
    if (answer.says) toast(answer.says, { kind: "is-done" });
    await push(answer.open);
  } else if (answer.do === "say") await say(answer.says);
  else {
    const buttons = [{ label: "关闭", value: true, main: true }];
    await dialog({ title: "扫描结果", text: answer.text, buttons });
  }
}

const isFinder = () => top()?.hasAttribute("data-scanner");

// -------------------------------------------------------------------- reading a picture
async function loadReader() {
  reader ||= import(READER).then(() => window.jsQR);
  return reader;
}

async function textOf(picture) {
  const jsQR = await loadReader();
  for (const part of parts(picture)) {
    const read = jsQR(part.data, part.width, part.height);
    if (read?.data) return read.data;
  }
  return "";
}

/* The whole picture, half its size, then quarters that overlap: a small code on a large screen. */
function* parts(picture) {
  const { width, height } = picture;
  const fit = Math.min(1, LARGEST_PX / Math.max(width, height));
  yield cut(picture, [0, 0, width, height], fit);
  yield cut(picture, [0, 0, width, height], fit / 2);
  const [w, h] = [Math.ceil(width * 0.6), Math.ceil(height * 0.6)];
  for (const x of [0, width - w]) {
    for (const y of [0, height - h]) yield cut(picture, [x, y, w, h], fit);
  }
}

function cut(picture, [x, y, w, h], scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(w * scale));
  canvas.height = Math.max(1, Math.round(h * scale));
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, x, y, w, h, 0, 0, canvas.width, canvas.height);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

// -------------------------------------------------------------------- drop and paste
document.addEventListener("paste", (event) => {
  if (!isFinder() || event.target.closest?.("input")) return;
  const file = [...(event.clipboardData?.files || [])][0];
  const text = event.clipboardData?.getData("text/plain").trim();
  if (file) scanFile(file);
  else if (text) found(text);
});
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    if (!isFinder()) return;
    event.preventDefault();
    if (name === "drop") scanFile(event.dataTransfer.files[0]);
  });
}
