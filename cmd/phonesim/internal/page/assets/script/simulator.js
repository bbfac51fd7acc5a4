// What stands beside the phone and is no part of it: connection, sound, choices.

import { word, onWords, known } from "./words.js";

const root = document.documentElement;
const byID = (id) => document.getElementById(id);

export class Simulator {
  // send takes a wish for the simulator.
  constructor(sound, send) {
    this.sound = sound;
    this.linked = false;
    this.owner = "free";
    byID("sound-take").addEventListener("click", () => send({ sound: "take" }));
    byID("panel").addEventListener("change", (event) => send({ panel: event.target.value }));
    byID("language").addEventListener("change", (event) => send({ language: event.target.value }));
    this.wireTheme();
    onWords(() => this.show());
  }

  wireTheme() {
    const choice = byID("theme");
    const apply = () => {
      if (choice.value === "auto") delete root.dataset.theme;
      else root.dataset.theme = choice.value;
    };
    choice.value = localStorage.getItem("theme") ?? "auto";
    apply();
    choice.addEventListener("change", () => {
      localStorage.setItem("theme", choice.value);
      apply();
    });
  }

  link(open) {
    this.linked = open;
    if (!open) this.owner = "free";
    root.dataset.link = open ? "open" : "lost";
    this.show();
  }

  state({ panel, languages, sound }) {
    this.owner = sound;
    byID("panel-choice").hidden = !panel.choice;
    if (panel.kind) byID("panel").value = panel.kind;
    this.languages(languages);
    this.show();
  }

  // languages offers each language under its own name.
  languages(tags) {
    const list = byID("language");
    byID("language-choice").hidden = tags.length < 2;
    if (tags.join() !== [...list.options].map((option) => option.value).join()) {
      list.replaceChildren(...tags.map((tag) => new Option(new Intl.DisplayNames(tag, { type: "language" }).of(tag), tag)));
    }
    list.value = root.lang;
  }

  show() {
    if (!known()) return; // the server has put the words that are needed until then
    say("link", word(this.linked ? "connected" : "disconnected"));
    byID("language").value = root.lang;
    const { state, microphone, report } = this.sound;
    const shown = state === "running" || this.owner === "none" ? this.owner : state;
    byID("sound").dataset.state = shown;
    say("sound-text", word(`sound-${shown}`));
    const take = byID("sound-take"), idle = !this.linked || state !== "running" || !["elsewhere", "free"].includes(shown);
    if (idle && document.activeElement === take) byID("sound-text").focus(); // else the next Tab begins at the top of the page
    take.hidden = idle;
    say("sound-figures", shown === "here" ? word("sound-delay", report) : "");
    byID("microphone").dataset.state = microphone;
    say("microphone-text", word(`microphone-${microphone}`));
    byID("sound").dataset.heard = this.sound.framesHeard;
    byID("sound").dataset.said = this.sound.framesSaid;
    byID("sound").dataset.peak = report.peak.toFixed(3);
  }
}

// say changes a text only if it is another: a live region is read out each time it is touched.
function say(id, text) {
  const element = byID(id);
  if (element.textContent !== text) element.textContent = text;
}
