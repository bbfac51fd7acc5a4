// The page's end of the web socket. The protocol is described in message.go, and nowhere else.

const kindSound = 1;
const kindPicture = 2;

// How long to wait before the next try, in ms: the simulator is on this machine, so it may be asked often.
const retryFirst = 250;
const retryMost = 4000;

// More unsent bytes than this (a second of sound) and the microphone is dropped until the socket has taken them.
const unsentMost = 50 * 321;

// Link keeps a connection to the simulator. It calls
//   on.state(state), on.words(language, labels), on.picture(blob), on.frame(ArrayBuffer of 320 bytes), on.link(open).
export class Link {
  constructor(on) {
    this.on = on;
    this.retry = retryFirst;
    this.connect();
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/socket`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.retry = retryFirst;
      this.on.link(true);
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = () => {
      this.on.link(false);
      setTimeout(() => this.connect(), this.retry);
      this.retry = Math.min(2 * this.retry, retryMost);
    };
    this.socket = socket;
  }

  receive(data) {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.labels) this.on.words(message.language, message.labels);
      if (message.state) this.on.state(message.state);
      return;
    }
    switch (new Uint8Array(data, 0, 1)[0]) {
      case kindSound:
        this.on.frame(data.slice(1));
        break;
      case kindPicture:
        this.on.picture(new Blob([new Uint8Array(data, 1)], { type: "image/png" }));
        break;
    }
  }

  get open() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  // send sends one wish; what is wished without a connection is lost, as on a phone without power.
  send(wish) {
    if (this.open) this.socket.send(JSON.stringify(wish));
  }

  // sendFrame sends a frame of the microphone: 160 samples as Int16Array.
  sendFrame(samples) {
    if (!this.open || this.socket.bufferedAmount > unsentMost) return;
    const message = new DataView(new ArrayBuffer(1 + 2 * samples.length));
    message.setUint8(0, kindSound);
    samples.forEach((sample, i) => message.setInt16(1 + 2 * i, sample, true));
    this.socket.send(message.buffer);
  }
}
