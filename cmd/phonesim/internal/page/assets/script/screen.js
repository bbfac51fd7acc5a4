// The panel: its picture pixel for pixel, and its text for those who do not see it.

// What each kind of panel makes of white: an OLED shines bluish, an LCD is lit by a white lamp.
const tints = { mono: "#dcefff", colour: null };

// Text that changes with the clock alone is not read out: "02:13", "2:13", "14 s".
const clock = /\d{1,2}:\d{2}(:\d{2})?|\d+\s?s\b/g;

// How long the text must stand still before it is read out, in ms: typing is not read letter by letter.
const stillness = 400;

export class Screen {
  constructor() {
    this.canvas = document.getElementById("screen");
    this.context = this.canvas.getContext("2d");
    this.lines = document.getElementById("screen-text");
    this.said = document.getElementById("said");
    this.calledOut = document.getElementById("called-out");
    this.latest = 0;
    this.spoken = []; // lines that have been told,
    this.facts = []; // and what the status line consists of
    this.ringing = false;
    this.kind = "";
  }

  // size takes the panel's kind and size; true when they have changed.
  size({ kind, width, height }) {
    if (!width || (kind === this.kind && width === this.canvas.width && height === this.canvas.height)) return false;
    this.kind = kind;
    this.canvas.width = width;
    this.canvas.height = height;
    document.documentElement.dataset.panel = kind;
    return true;
  }

  // show draws a picture. Decoding takes its time: an older one that comes late is dropped.
  async show(blob) {
    const number = ++this.latest;
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
    if (number !== this.latest) return;
    const { context, canvas } = this;
    context.globalCompositeOperation = "copy";
    context.drawImage(bitmap, 0, 0);
    const tint = tints[this.kind];
    if (tint) {
      context.globalCompositeOperation = "multiply";
      context.fillStyle = tint;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    bitmap.close();
    canvas.dataset.shown = number;
  }

  // dark: the panel has no current.
  dark() {
    this.latest++;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.lines.replaceChildren();
    this.spoken = [];
    this.facts = [];
    clearTimeout(this.pending);
  }

  // text takes the panel's lines: all of them to be read at leisure, the changed ones to be said.
  text(lines, ringing) {
    const shown = [...this.lines.children].map((item) => item.textContent);
    if (lines.length !== shown.length || lines.some((line, i) => line !== shown[i])) {
      this.lines.replaceChildren(...lines.map((line) => {
        const item = document.createElement("li");
        item.textContent = line;
        return item;
      }));
    }
    // A call that begins to ring is told whole: the one before it may have had the same words.
    if (ringing && !this.ringing) this.spoken = [];
    this.ringing = ringing;
    clearTimeout(this.pending);
    this.pending = setTimeout(() => this.say(lines, ringing), ringing ? 0 : stillness);
  }

  // say tells what is new, last of the status line. While it rings that has to wait: nothing may take the place of
  // who calls.
  say([status = "", ...lines], ringing) {
    const news = unknown(lines, this.spoken);
    this.spoken = lines;
    if (!ringing) {
      const facts = status.split(", ");
      const changed = unknown(facts, this.facts);
      if (changed.length > 0) news.push(changed.join(", "));
      this.facts = facts;
    }
    if (news.length === 0) return;
    (ringing ? this.calledOut : this.said).textContent = news.join(". ");
    (ringing ? this.said : this.calledOut).textContent = "";
  }
}

// unknown are the texts of now that were not told before, whatever the clock says.
function unknown(now, before) {
  const told = new Set(before.map((text) => text.replace(clock, "")));
  return now.filter((text) => text.trim() && !told.has(text.replace(clock, "")));
}
