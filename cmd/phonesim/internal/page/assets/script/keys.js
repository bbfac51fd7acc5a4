// The keys: by mouse, finger, keyboard and screen reader. A key goes down and comes up, so that it can be held long;
// none stays down when the page loses the hand that held it.

import { word, onWords } from "./words.js";

// Keyboard shortcuts by KeyboardEvent.key, letters in lower case. Nothing with Ctrl, Alt or Meta is ever taken, so
// the browser keeps its own shortcuts; Tab is never taken.
const shortcuts = {
  Enter: "ok", Escape: "cancel", ArrowUp: "up", ArrowDown: "down",
  F1: "soft1", F2: "soft2", F3: "soft3", F4: "soft4",
  l: "line1", n: "line2", p: "hold", t: "transfer", r: "redial", m: "mute", k: "headset", s: "speaker",
  "+": "volume-up", "-": "volume-down",
  h: "handset",
};
for (const digit of "0123456789*#") shortcuts[digit] = digit;

// How the table of shortcuts names keys whose name is long.
const printed = { Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓", "-": "−" };

// How long a key is down that a screen reader clicks, in ms: as long as a short press.
const clickTime = 120;

export class Keys {
  // press(name, down) and lift() are what a key and the handset do.
  constructor({ press, lift }) {
    this.press = press;
    this.lift = lift;
    this.held = new Map(); // what holds a key down ("pointer 1", "code KeyH") -> key's name
    for (const key of document.querySelectorAll("[data-key]")) this.wire(key);
    const handset = document.getElementById("handset");
    handset.addEventListener("click", lift);
    handset.addEventListener("mousedown", unfocused);
    document.addEventListener("keydown", (event) => this.keydown(event));
    document.addEventListener("keyup", (event) => this.release(`code ${event.code}`));
    for (const [target, type] of [[window, "blur"], [window, "pagehide"], [document, "visibilitychange"]]) {
      target.addEventListener(type, () => this.releaseAll());
    }
    this.wireSwitch();
    onWords(() => this.fillTable());
  }

  hold(by, name) {
    if (this.held.has(by)) return;
    const already = [...this.held.values()].includes(name);
    this.held.set(by, name);
    if (!already) this.press(name, true);
  }

  release(by) {
    const name = this.held.get(by);
    if (name === undefined) return;
    this.held.delete(by);
    if (![...this.held.values()].includes(name)) this.press(name, false);
  }

  releaseAll() {
    for (const by of [...this.held.keys()]) this.release(by);
  }

  wire(key) {
    const name = key.dataset.key;
    let pointed = 0; // when a pointer was last used: its click has been dealt with
    key.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      key.setPointerCapture(event.pointerId);
      this.hold(`pointer ${event.pointerId}`, name);
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      key.addEventListener(type, (event) => {
        pointed = event.timeStamp;
        this.release(`pointer ${event.pointerId}`);
      });
    }
    key.addEventListener("click", (event) => {
      // A click without a pointer comes from a screen reader or a voice control.
      if (pointed && event.timeStamp - pointed < 1000) return;
      this.hold("click", name);
      setTimeout(() => this.release("click"), clickTime);
    });
    key.addEventListener("mousedown", unfocused);
    key.addEventListener("contextmenu", (event) => event.preventDefault()); // of a long touch
  }

  keydown(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest("#simulator")) return; // its controls keep their keys
    const focused = target.closest("[data-key], #handset");
    let name;
    if (focused && (event.key === "Enter" || event.key === " ")) {
      if (focused.id === "handset") return; // the browser clicks it
      name = focused.dataset.key;
    } else if (this.on) {
      name = shortcuts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    }
    if (!name) return;
    event.preventDefault();
    if (event.repeat) return;
    if (name === "handset") this.lift();
    else this.hold(`code ${event.code}`, name);
  }

  // wireSwitch: shortcuts of one letter can be switched off (WCAG 2.2, 2.1.4), for speech input.
  wireSwitch() {
    const box = document.getElementById("shortcuts");
    box.checked = localStorage.getItem("shortcuts") !== "off";
    this.on = box.checked;
    box.addEventListener("change", () => {
      this.on = box.checked;
      localStorage.setItem("shortcuts", box.checked ? "on" : "off");
    });
  }

  fillTable() {
    const rows = [["0 – 9  *  #", word("shortcut-digits")]];
    for (const [key, name] of Object.entries(shortcuts)) {
      if ("0123456789*#".includes(key)) continue;
      rows.push([printed[key] ?? (key.length === 1 ? key.toUpperCase() : key),
        word(name === "handset" ? "shortcut-handset" : `key-${name}`)]);
    }
    document.querySelector("#shortcut-table tbody").replaceChildren(...rows.map(([key, name]) => {
      const row = document.createElement("tr");
      const kbd = document.createElement("kbd");
      kbd.textContent = key;
      row.insertCell().append(kbd);
      row.insertCell().append(name);
      return row;
    }));
  }
}

// unfocused keeps the mouse from moving the focus: after a click on a digit, Enter still means OK.
function unfocused(event) {
  event.preventDefault();
  document.activeElement?.blur();
}

// nameSofts names the soft keys after what they do now; one that does nothing keeps its own name and says so.
export function nameSofts(softs) {
  for (const [i, key] of document.querySelectorAll(".key.soft").entries()) {
    key.setAttribute("aria-label", softs[i] || word(key.dataset.name));
    key.setAttribute("aria-disabled", String(!softs[i]));
  }
}

// showHeld makes the keys look pressed that are down, on whatever page.
export function showHeld(names) {
  for (const key of document.querySelectorAll("[data-key]")) {
    key.classList.toggle("pressed", names.includes(key.dataset.key));
  }
}
