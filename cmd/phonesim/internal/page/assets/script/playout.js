// What is heard: frames come in at 8 kHz, unevenly, and are read at the loudspeaker's rate, evenly. Pure; runs in the
// sound thread.

import { Filter } from "./filter.js";

const rate = 8000;
const ms = rate / 1000;

// How much is kept waiting, in samples: against the unevenness of a socket and a busy browser. A gap raises it, quiet
// running lowers it again.
const targetLeast = 60 * ms;
const targetMost = 200 * ms;
const targetStep = 20 * ms;
const targetDecay = 1 * ms; // for each second without a gap

// More than this above the target (the page was asleep) is thrown away at once.
const excess = 200 * ms;

// The two clocks differ. The sound is read up to this much faster or slower, which nobody hears: samples are dropped
// or doubled between samples, by the filter.
const bendMost = 0.004;
const bendFor = 40 * ms; // the distance from the target at which it is read as fast as that

// The sound is faded in and out over this time, so that a gap does not click.
const fade = 4 * ms;

const ringSize = 16384; // two seconds, a power of two

export class Playout {
  // rateOut is the loudspeaker's rate in Hz.
  constructor(rateOut) {
    this.filter = new Filter(rate, rateOut);
    this.step = rate / rateOut;
    this.ring = new Float32Array(ringSize);
    this.written = 0; // samples, since the beginning
    this.moment = 0; // where it is read, in samples since the beginning
    this.target = targetLeast;
    this.level = 0; // smoothed number of waiting samples
    this.gain = 0;
    this.running = false;
    this.gaps = 0;
  }

  // waiting is how many samples are left to play.
  get waiting() {
    return this.written - this.moment - this.filter.reach;
  }

  // push takes a frame: 160 samples as Int16Array.
  push(frame) {
    for (const sample of frame) {
      this.ring[this.written & (ringSize - 1)] = sample / 32768;
      this.written++;
    }
    if (this.waiting > this.target + excess) this.skip();
  }

  // skip jumps to the newest sound.
  skip() {
    this.moment = this.written - this.filter.reach - this.target;
    this.level = this.target;
  }

  // pull fills a Float32Array with sound, or with silence when there is none.
  pull(out) {
    if (!this.running && this.waiting >= this.target) {
      this.running = true;
      this.skip();
    }
    this.level += (this.waiting - this.level) * 0.005;
    const bend = Math.max(-1, Math.min(1, (this.level - this.target) / bendFor)) * bendMost;
    const step = this.step * (1 + bend);
    const ramp = this.step / fade;
    for (let i = 0; i < out.length; i++) {
      const left = this.waiting;
      if (this.running && left <= 0) {
        this.running = false;
        this.gaps++;
        this.target = Math.min(this.target + targetStep, targetMost);
      }
      if (!this.running) {
        this.gain = 0;
        out[i] = 0;
        continue;
      }
      // Towards the end of what there is the sound fades out; afterwards, or at the beginning, in.
      this.gain = left < fade ? Math.min(this.gain, left / fade) : Math.min(1, this.gain + ramp);
      out[i] = this.gain * this.filter.at(this.ring, this.moment);
      this.moment += step;
    }
    if (this.running) {
      this.target = Math.max(targetLeast, this.target - targetDecay * out.length * this.step / rate);
    }
  }
}
