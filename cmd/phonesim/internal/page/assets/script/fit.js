// The size of the phone: as large as the window allows, with a whole number of device pixels for each of the panel's.

// A unit (--u, see style/phone.css) in CSS pixels: with less the lettering is too small, with more it is a toy.
const unitLeast = 9.2;
const unitMost = 13.5;

// The panel should take this part of the phone's width, as on the phones that this one is modelled on.
const panelPart = 0.47;

// Below this width the phone stands upright, with the handset on top, and is so many units wide.
const uprightBelow = 760;
const uprightUnits = 40;
const uprightFrame = 3.6; // units of case and glass left and right of the panel

const root = document.documentElement;

// fit sizes the phone for the window.
export function fit() {
  const stage = document.getElementById("stage");
  const canvas = document.getElementById("screen");
  const ratio = window.devicePixelRatio || 1;
  const upright = window.innerWidth < uprightBelow;
  root.dataset.layout = upright ? "upright" : "wide";
  const style = getComputedStyle(stage);
  const room = {
    width: stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
    height: window.innerHeight - parseFloat(style.paddingTop),
  };
  const { scale, unit } = upright ? stand(room, canvas, ratio) : lie(room, canvas, ratio);
  set(canvas, scale, unit);
  root.dataset.scale = scale * ratio; // device pixels for one of the panel's
  align(canvas, ratio);
}

function set(canvas, scale, unit) {
  root.style.setProperty("--u", `${unit}px`);
  root.style.setProperty("--screen-w", `${canvas.width * scale}px`);
  root.style.setProperty("--screen-h", `${canvas.height * scale}px`);
}

// stand: the phone is as wide as the window.
function stand(room, canvas, ratio) {
  const unit = Math.min(Math.max(room.width / uprightUnits, 8), unitMost);
  const inside = Math.min(room.width, unit * uprightUnits) - uprightFrame * unit;
  return { unit, scale: Math.max(1, Math.floor(inside * ratio / canvas.width)) / ratio };
}

// lie: of the panels with which the whole phone fits, the one with the best proportion.
function lie(room, canvas, ratio) {
  const body = measure(canvas);
  let best;
  for (let steps = 1; steps === 1 || canvas.width * steps / ratio < room.width; steps++) {
    const panel = { width: canvas.width * steps / ratio, height: canvas.height * steps / ratio };
    const unit = Math.min(unitMost,
      (room.width - panel.width) / body.beside, room.width / body.across,
      (room.height - panel.height) / body.below, room.height / body.down);
    if (best && unit < unitLeast) break;
    const width = Math.max(panel.width + body.beside * unit, body.across * unit);
    const miss = Math.abs(panel.width / width - panelPart);
    // A window that is too low is scrolled; one that is too narrow is not.
    const least = Math.min(unitLeast, (room.width - panel.width) / body.beside, room.width / body.across);
    if (!best || miss < best.miss) best = { steps, miss, scale: steps / ratio, unit: Math.max(unit, least) };
  }
  return best;
}

// measure finds how many units the phone needs, its cord included: beside and below its panel, and across and down
// without a panel.
function measure(canvas) {
  const body = document.querySelector(".case");
  const cord = () => parseFloat(getComputedStyle(document.getElementById("stage")).paddingBottom);
  const unit = 10;
  const large = 2000 / canvas.width; // so large that the panel alone decides
  set(canvas, 0, unit);
  const bare = body.getBoundingClientRect();
  set(canvas, large, unit);
  const full = body.getBoundingClientRect();
  return {
    across: bare.width / unit,
    down: (bare.height + cord()) / unit,
    beside: (full.width - canvas.width * large) / unit,
    below: (full.height + cord() - canvas.height * large) / unit,
  };
}

// align moves the panel by less than a device pixel, onto the device's pixels: else they are blurred.
function align(canvas, ratio) {
  canvas.style.translate = "none";
  const { left, top } = canvas.getBoundingClientRect();
  const off = (at) => Math.round(at * ratio) / ratio - at;
  canvas.style.translate = `${off(left + scrollX)}px ${off(top + scrollY)}px`;
}
