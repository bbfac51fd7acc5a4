// The page of the simulated phone: joins its parts. What the phone does is decided by the simulator; the page shows
// the state it is sent, whole, and sends what a person does.

import { Link } from "./link.js";
import { Screen } from "./screen.js";
import { Lamps } from "./lamps.js";
import { Keys, nameSofts, showHeld } from "./keys.js";
import { Sound } from "./sound.js";
import { Simulator } from "./simulator.js";
import { fit } from "./fit.js";
import { setWords, onWords, word } from "./words.js";

const root = document.documentElement;
const handset = document.getElementById("handset");

const screen = new Screen();
const lamps = new Lamps();
const keys = new Keys({
  press: (key, down) => link.send({ key, down }),
  lift: () => link.send({ hook: root.dataset.hook === "up" ? "down" : "up" }),
});
const sound = new Sound({
  changed: () => simulator.show(),
  frame: (samples) => { if (owner === "here") link.sendFrame(samples); },
  microphone: () => {
    tellMicrophone();
    claim();
  },
});
const simulator = new Simulator(sound, (wish) => link.send(wish));
let owner = "free";
let softs = [];

const link = new Link({
  link(open) {
    simulator.link(open);
    if (open) return tellMicrophone();
    owner = "free";
    keys.releaseAll();
    screen.dark();
    lamps.show({});
    showHeld([]);
    showSofts([]);
    document.title = word("title");
  },
  words: setWords,
  state(state) {
    owner = state.sound;
    if (screen.size(state.panel)) fit();
    screen.text(state.text, state.ringing);
    document.title = state.ringing ? `☎ ${caller(state)}` : word("title");
    showSofts(state.soft);
    lamps.show(state.lamps);
    showHeld(state.keys);
    root.dataset.hook = state.hook;
    nameHandset();
    simulator.state(state);
    claim();
  },
  picture: (blob) => screen.show(blob),
  frame: (buffer) => sound.play(buffer),
});

// claim takes the sound if it runs here and nobody has it. It is never taken from another page without being asked.
function claim() {
  if (owner === "free" && sound.state === "running") link.send({ sound: "take" });
}

// tellMicrophone lets the terminal know as well why nobody is heard.
function tellMicrophone() {
  if (["granted", "denied", "absent"].includes(sound.microphone)) link.send({ microphone: sound.microphone });
}

function nameHandset() {
  const up = root.dataset.hook === "up";
  handset.title = word(up ? "handset-replace" : "handset-lift"); // also its name for a screen reader
}

function showSofts(meanings) {
  softs = meanings;
  nameSofts(softs);
}

// caller is the line of the panel's text that says for whom it rings, or who calls: it follows the call's state,
// which names its line when there are two calls.
function caller({ text: [, ...lines], lamps }) {
  const line = ["line1", "line2"].find((name) => lamps[name]?.blink === "fast");
  const at = lines.findIndex((text) => text.includes(`${word(`key-${line}`)}:`));
  return lines[Math.max(at, 0) + 1] ?? "";
}

onWords(nameHandset);
onWords(() => nameSofts(softs));
addEventListener("resize", fit);
document.querySelector("#simulator > details").addEventListener("toggle", fit);
fit();
