// The page's sound: loudspeaker and microphone, as far as the browser gives them.

// Sound goes through these states:
//   gesture      the browser lets no page sound before its person has clicked or typed
//   unsupported  the browser has no AudioWorklet
//   running
// and its microphone through: off (not asked for yet), asking, granted, denied, absent.
export class Sound {
  // on.changed() after each change; on.frame(Int16Array) for each frame heard; on.microphone(state).
  constructor(on) {
    this.on = on;
    this.state = "AudioWorkletNode" in window ? "gesture" : "unsupported";
    this.microphone = "off";
    this.report = { buffer: 0, gaps: 0, peak: 0 };
    this.framesHeard = 0;
    this.framesSaid = 0;
    if (this.state === "gesture") {
      this.begin = () => this.start();
      for (const type of ["pointerup", "keydown"]) addEventListener(type, this.begin);
    }
  }

  // start is called on each gesture until one has been good enough for the browser.
  async start() {
    this.context ??= new AudioContext({ latencyHint: "interactive" });
    const context = this.context;
    await context.resume().catch(() => {});
    if (context.state !== "running" || this.starting) return;
    this.starting = true;
    for (const type of ["pointerup", "keydown"]) removeEventListener(type, this.begin);
    try {
      await context.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
    } catch (error) {
      console.warn("sound:", error);
      this.become("unsupported");
      return;
    }
    this.node = new AudioWorkletNode(context, "voice", { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] });
    this.node.connect(context.destination);
    this.node.port.onmessage = ({ data }) => {
      if (data.frame) {
        this.framesSaid++;
        this.on.frame(data.frame);
      } else {
        this.report = data.report;
        this.on.changed();
      }
    };
    this.become("running");
    await this.listen();
  }

  become(state) {
    this.state = state;
    this.on.changed();
  }

  // listen asks for the microphone. Without one everything else works.
  async listen() {
    this.hears("asking");
    if (!navigator.mediaDevices?.getUserMedia) return this.hears("absent");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
      });
      this.context.createMediaStreamSource(stream).connect(this.node);
      stream.getAudioTracks()[0].addEventListener("ended", () => this.hears("absent")); // unplugged
      this.hears("granted");
    } catch (error) {
      this.hears(error.name === "NotAllowedError" || error.name === "SecurityError" ? "denied" : "absent");
    }
  }

  hears(microphone) {
    this.microphone = microphone;
    this.on.microphone(microphone);
    this.on.changed();
  }

  // play takes a frame as ArrayBuffer.
  play(buffer) {
    this.framesHeard++;
    this.node?.port.postMessage(buffer, [buffer]);
  }
}
