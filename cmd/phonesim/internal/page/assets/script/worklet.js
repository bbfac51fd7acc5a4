// The sound thread of the page: plays the frames it is sent, sends the frames it hears.

import { Playout } from "./playout.js";
import { Capture } from "./capture.js";

// How often the page is told how the sound runs, in blocks of 128 samples: twice a second or so.
const reportEvery = 187;

class Voice extends AudioWorkletProcessor {
  constructor() {
    super();
    this.playout = new Playout(sampleRate);
    this.capture = new Capture(sampleRate, (frame) => this.port.postMessage({ frame }, [frame.buffer]));
    this.port.onmessage = ({ data }) => this.playout.push(new Int16Array(data));
    this.blocks = 0;
    this.peak = 0;
  }

  process([microphone], [loudspeaker]) {
    if (microphone.length > 0) this.capture.push(microphone[0]);
    this.playout.pull(loudspeaker[0]);
    for (const other of loudspeaker.slice(1)) other.set(loudspeaker[0]);
    for (const sample of loudspeaker[0]) this.peak = Math.max(this.peak, Math.abs(sample));
    if (++this.blocks % reportEvery === 0) {
      const { waiting, gaps } = this.playout;
      this.port.postMessage({ report: { buffer: Math.max(0, Math.round(waiting / 8)), gaps, peak: this.peak } });
      this.peak = 0;
    }
    return true;
  }
}

registerProcessor("voice", Voice);
