// The lamps: each shines in the rhythm that the simulator says, and tells it in words as well.

import { word, onWords } from "./words.js";

const stillWanted = matchMedia("(prefers-reduced-motion: reduce)");

export class Lamps {
  constructor() {
    this.states = {};
    this.animations = new Map();
    for (const key of document.querySelectorAll(".key:has(.lamp)")) {
      const text = document.createElement("span");
      text.className = "unseen";
      text.id = `lamp-text-${key.querySelector(".lamp").dataset.lamp}`;
      text.hidden = true; // read as the key's description only
      key.after(text);
      key.setAttribute("aria-describedby", text.id);
    }
    stillWanted.addEventListener("change", () => this.show(this.states, true));
    onWords(() => this.show(this.states, true));
  }

  // show takes {name: {blink, on, off}}, times in ms.
  show(states, again = false) {
    for (const lamp of document.querySelectorAll("[data-lamp]")) {
      const name = lamp.dataset.lamp;
      const state = states[name] ?? { blink: "dark", on: 0, off: 0 };
      const before = this.states[name];
      if (!again && before && before.blink === state.blink && before.on === state.on && before.off === state.off) continue;
      lamp.dataset.blink = state.blink;
      this.blink(lamp, state);
      this.tell(lamp, name, state);
    }
    this.states = states;
  }

  blink(lamp, { on, off }) {
    this.animations.get(lamp)?.cancel();
    this.animations.delete(lamp);
    if (!on || stillWanted.matches) return; // the style sheet gives every blink a shape of its own
    const animation = lamp.animate([
      { opacity: 1, offset: 0, easing: "step-end" },
      { opacity: 0, offset: on / (on + off), easing: "step-end" },
      { opacity: 0, offset: 1 },
    ], { duration: on + off, iterations: Infinity, pseudoElement: "::after" });
    // All lamps count from the same moment: two lamps with one rhythm blink as one.
    animation.startTime = 0;
    this.animations.set(lamp, animation);
  }

  tell(lamp, name, { blink }) {
    const text = word(`blink-${blink}`);
    const onKey = document.getElementById(`lamp-text-${name}`);
    if (onKey) onKey.textContent = text;
    lamp.title = onKey ? text : `${word(`lamp-${name}`)}: ${text}`;
  }
}
