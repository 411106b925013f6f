// A recording from the microphone, as a WAV that is added like any other file.

const BITS = 16, HEADER = 44;

export function readyRecord(say) {
  const button = document.getElementById("record");
  let stop = null;
  button.addEventListener("click", async () => {
    if (stop) return stop();
    try {
      stop = await record((file) => {
        button.textContent = "Record";
        stop = null;
        document.dispatchEvent(new CustomEvent("recorded", { detail: file }));
      });
      button.textContent = "Stop recording";
      say("recording from the microphone");
    } catch (failure) {
      say(`the microphone cannot be used: ${failure.message}`);
    }
  });
}

// Returns the function that ends the recording; done gets the file then.
async function record(done) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/static/recorder.js");
  const node = new AudioWorkletNode(context, "recorder");
  const pieces = [];
  node.port.onmessage = ({ data }) => pieces.push(data);
  context.createMediaStreamSource(stream).connect(node);
  return () => {
    stream.getTracks().forEach((track) => track.stop());
    context.close();
    const name = `recording-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.wav`;
    done(new File([wavOf(pieces, context.sampleRate)], name, { type: "audio/wav" }));
  };
}

// One channel of samples, -1 to 1, as a WAV of 16 bits.
function wavOf(pieces, rate) {
  const count = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const view = new DataView(new ArrayBuffer(HEADER + 2 * count));
  const words = (place, text) => [...text].forEach((letter, i) => view.setUint8(place + i, letter.charCodeAt(0)));
  words(0, "RIFF");
  view.setUint32(4, HEADER - 8 + 2 * count, true);
  words(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, BITS, true);
  words(36, "data");
  view.setUint32(40, 2 * count, true);
  let place = HEADER;
  for (const piece of pieces) for (const sample of piece) view.setInt16(place, Math.max(-1, Math.min(1, sample)) * 32767, true), (place += 2);
  return view.buffer;
}
