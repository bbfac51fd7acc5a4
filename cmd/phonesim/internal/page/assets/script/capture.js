// What is said: sound comes at the microphone's rate and leaves in frames of 20 ms at 8 kHz. Pure; runs in the sound
// thread.

import { Filter } from "./filter.js";

const rate = 8000;
const frameSamples = 160;
const ringSize = 32768; // holds the filter's reach at any rate up to 192 kHz; a power of two

export class Capture {
  // rateIn is the microphone's rate in Hz; emit is called with each frame, an Int16Array of its own.
  constructor(rateIn, emit) {
    this.filter = new Filter(rateIn, rate);
    this.step = rateIn / rate;
    this.emit = emit;
    this.ring = new Float32Array(ringSize);
    this.written = 0;
    this.moment = 0;
    this.frame = new Int16Array(frameSamples);
    this.filled = 0;
  }

  // push takes a Float32Array of any length.
  push(samples) {
    for (const sample of samples) {
      this.ring[this.written & (ringSize - 1)] = sample;
      this.written++;
    }
    while (this.moment + this.filter.reach < this.written) {
      const sample = this.filter.at(this.ring, this.moment) * 32768;
      this.frame[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample)));
      this.moment += this.step;
      if (this.filled === frameSamples) {
        this.emit(this.frame);
        this.frame = new Int16Array(frameSamples);
        this.filled = 0;
      }
    }
  }
}
