/* The subscription popup: which messages the account may send. */

import { getText, post } from "./net.js";
import { hide, holdBack, show } from "./overlays.js";

/* templates: ids. Resolves with {id: "accept" | "reject"}, or null when there is nothing to ask. */
export async function askConsent(templates) {
  const query = encodeURIComponent(templates.join(","));
  const holder = document.createElement("template");
  holder.innerHTML = await getText(`/phone/consent?templates=${query}`);
  const mask = holder.content.querySelector(".consent-mask");
  return mask ? answered(mask) : null;
}

function answered(mask) {
  return new Promise((resolve, reject) => {
    const release = holdBack(mask);
    const finish = async (agreed) => {
      release();
      hide(mask);
      const choices = {};
      for (const box of mask.querySelectorAll("[data-template]")) {
        choices[box.dataset.template] = agreed && box.checked;
      }
      const always = agreed && mask.querySelector("[data-always]").checked;
      await post("/phone/consent/answer", { choices, always });
      resolve(
        Object.fromEntries(
          Object.entries(choices).map(([id, yes]) => [id, yes ? "accept" : "reject"]),
        ),
      );
    };
    mask.addEventListener("click", (event) => {
      const button = event.target.closest("[data-consent]");
      if (button) finish(button.dataset.consent === "accept").catch(reject);
    });
    mask.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") finish(false).catch(reject);
    });
    show(mask);
    mask.querySelector("h2").focus({ preventScroll: true });
  });
}
