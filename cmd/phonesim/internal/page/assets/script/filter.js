// A low-pass for changing the rate of sound: a windowed sinc, as a table. Pure; runs in the sound thread.

// How many zero crossings of the sinc lie on each side. With the Blackman window they make the filter fall from 3.4 to
// 4.2 kHz, by 74 dB, and delay the sound by 4 ms.
const crossings = 32;

// Entries of the table from one zero crossing to the next; between two the filter is interpolated.
const resolution = 256;

// Where the filter has fallen by half, as a part of half the lower rate: 3.8 kHz of 4 kHz.
const edge = 0.95;

// Filter reads a signal of one rate at any moment between its samples, without what the other rate cannot carry.
export class Filter {
  // Rates in Hz.
  constructor(rateIn, rateOut) {
    // The cut-off in cycles for each input sample, and how many input samples the filter sees on each side.
    this.cutoff = edge * Math.min(1, rateOut / rateIn);
    this.reach = Math.ceil(crossings / this.cutoff);
    this.table = new Float32Array(crossings * resolution + 2);
    for (let i = 0; i < crossings * resolution; i++) {
      const x = i / resolution;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      const angle = Math.PI * (1 + x / crossings); // Blackman window, from its middle outwards
      this.table[i] = sinc * (0.42 - 0.5 * Math.cos(angle) + 0.08 * Math.cos(2 * angle)) * this.cutoff;
    }
  }

  // at is the signal at a moment, in samples; samples is a ring whose length is a power of two. The caller has
  // samples from moment - reach to moment + reach there.
  at(samples, moment) {
    const mask = samples.length - 1;
    const first = Math.ceil(moment - this.reach);
    const last = Math.floor(moment + this.reach);
    let sum = 0;
    for (let n = first; n <= last; n++) {
      const x = Math.abs(n - moment) * this.cutoff * resolution;
      const i = Math.floor(x);
      if (i >= this.table.length - 1) continue;
      sum += samples[n & mask] * (this.table[i] + (x - i) * (this.table[i + 1] - this.table[i]));
    }
    return sum;
  }
}
