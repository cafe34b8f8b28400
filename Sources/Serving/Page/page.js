"use strict";

// The page holds an image, what is painted out of it, and one completion at a time, which comes as lines of JSON.

const element = (id) => document.getElementById(id);
const app = element("app");
const editor = element("editor");
const hiddenColor = [92, 112, 150];

let model;
let image; // levels [rows * columns * channels]
let source; // what requests say the image is: {example} or {image}
let missing; // [rows * columns], 1 where painted out
let cursor = { row: 0, column: 0 };
let firstExample = 0;
let running; // the completion under way: an AbortController
let results = [];
let largestNats = 1;

// --- Colours ---------------------------------------------------------------------------------------------------------

// A level as the server's pictures show it.
const shown = (level) => Math.floor((level * 510 + (model.levels - 1)) / (2 * (model.levels - 1)));

function colorOf(levels, index) {
  const values = Array.from({ length: model.channels }, (_, channel) => shown(levels[index * model.channels + channel]));
  return model.channels >= 3 ? values.slice(0, 3) : [values[0], values[0], values[0]];
}

const rampStops = [[13, 8, 36], [81, 18, 124], [183, 55, 121], [252, 137, 97], [252, 253, 191]];

// The colour of a number from 0 to 1; the root shows differences where most pixels are, close to 0.
function rampColor(fraction) {
  const place = Math.sqrt(Math.min(Math.max(fraction, 0), 1)) * (rampStops.length - 1);
  const stop = Math.min(Math.floor(place), rampStops.length - 2);
  return rampStops[stop].map((value, index) => Math.round(value + (rampStops[stop + 1][index] - value) * (place - stop)));
}

// --- Talking to the server -------------------------------------------------------------------------------------------

// The response, or an error with the server's reason.
async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; it may have ended.");
  }
  if (response.ok) return response;
  const text = await response.text();
  let reason = text;
  try { reason = JSON.parse(text).error; } catch { /* not from the server's own code: shown as it is */ }
  throw new Error(reason || `${response.status} ${response.statusText}`);
}

const post = (path, type, body, signal) =>
  request(path, { method: "POST", headers: { "Content-Type": type }, body, signal });

function tell(problem) {
  element("problem").textContent = problem ? problem.charAt(0).toUpperCase() + problem.slice(1) + (problem.endsWith(".") ? "" : ".") : "";
  element("problem").hidden = !problem;
}

// Runs work of a button or field; what goes wrong is told.
function attempt(work) {
  return async (event) => {
    try { await work(event); } catch (error) { if (error.name !== "AbortError") tell(error.message); }
  };
}

// --- The image -------------------------------------------------------------------------------------------------------

async function useImage(blob, newSource) {
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(model.columns, model.rows);
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const data = context.getImageData(0, 0, model.columns, model.rows).data;
  image = new Uint8Array(model.rows * model.columns * model.channels);
  for (let index = 0; index < model.rows * model.columns; index += 1) {
    for (let channel = 0; channel < model.channels; channel += 1) {
      image[index * model.channels + channel] = Math.round(data[index * 4 + channel] * (model.levels - 1) / 255);
    }
  }
  source = newSource;
  drawEditor();
}

async function useExample(index) {
  const response = await request(`/api/examples/${index}.png`);
  await useImage(await response.blob(), { example: index });
  markExample(index);
}

function markExample(index) {
  for (const button of element("examples").children) button.setAttribute("aria-pressed", button.dataset.index === String(index));
}

const exampleCount = 14;

function showExamples() {
  const part = element("examples");
  part.replaceChildren();
  for (let offset = 0; offset < Math.min(exampleCount, model.examples); offset += 1) {
    const index = (firstExample + offset) % model.examples;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.index = index;
    button.setAttribute("aria-label", `Test image ${index}`);
    button.setAttribute("aria-pressed", String(source?.example === index));
    const picture = document.createElement("img");
    picture.src = `/api/examples/${index}.png`;
    picture.alt = "";
    button.append(picture);
    button.addEventListener("click", attempt(async () => { tell(""); await useExample(index); }));
    part.append(button);
  }
  element("examples-part").hidden = model.examples === 0;
}

const dataURL = (blob) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.onerror = () => reject(new Error("The file cannot be read."));
  reader.readAsDataURL(blob);
});

// The server says what the model sees of a picture, or why it sees nothing.
async function upload(blob, type) {
  const seen = await (await post("/api/pictures", type, blob)).blob();
  await useImage(seen, { image: await dataURL(seen) });
  markExample(-1);
}

async function uploadFile() {
  const file = element("file").files[0];
  tell("");
  element("fit").hidden = true;
  if (!file) return;
  if (file.size > model.limits.upload_bytes) {
    throw new Error(`the file has ${file.size} bytes, the limit is ${model.limits.upload_bytes}`);
  }
  try { await upload(file, file.type || "application/octet-stream"); } catch (error) {
    element("fit").hidden = false;
    throw error;
  }
}

// The middle of the chosen picture in the model's size, on white.
async function uploadFitted() {
  let bitmap;
  try { bitmap = await createImageBitmap(element("file").files[0]); } catch {
    throw new Error("This browser cannot show the file as a picture.");
  }
  const scale = Math.max(model.columns / bitmap.width, model.rows / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  const canvas = new OffscreenCanvas(model.columns, model.rows);
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, model.columns, model.rows);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (model.columns - width) / 2, (model.rows - height) / 2, width, height);
  await upload(await canvas.convertToBlob({ type: "image/png" }), "image/png");
  tell("");
  element("fit").hidden = true;
}

// --- Painting out ----------------------------------------------------------------------------------------------------

const cell = () => editor.width / model.columns;

function drawEditor() {
  if (!image) return;
  const context = editor.getContext("2d");
  const side = cell();
  for (let index = 0; index < missing.length; index += 1) {
    const [row, column] = [Math.floor(index / model.columns), index % model.columns];
    context.fillStyle = `rgb(${missing[index] ? hiddenColor : colorOf(image, index)})`;
    context.fillRect(column * side, row * side, side, side);
  }
  if (document.activeElement === editor && editor.matches(":focus-visible")) {
    context.lineWidth = 3;
    context.strokeStyle = "#f2c14e";
    context.strokeRect(cursor.column * side + 1.5, cursor.row * side + 1.5, side - 3, side - 3);
  }
}

function paint(row, column) {
  const hides = document.querySelector("input[name=tool]:checked").value === "hide" ? 1 : 0;
  const reach = (Number(element("brush").value) - 1) / 2;
  for (let r = Math.max(0, row - reach); r <= Math.min(model.rows - 1, row + reach); r += 1) {
    for (let c = Math.max(0, column - reach); c <= Math.min(model.columns - 1, column + reach); c += 1) {
      // A round brush, but for the smallest.
      if (reach < 2 || (r - row) ** 2 + (c - column) ** 2 <= (reach + 0.3) ** 2) missing[r * model.columns + c] = hides;
    }
  }
}

let lastPlace;

function paintAt(event) {
  const box = editor.getBoundingClientRect();
  const place = {
    row: Math.floor((event.clientY - box.top) / box.height * model.rows),
    column: Math.floor((event.clientX - box.left) / box.width * model.columns),
  };
  // A fast pointer leaves out pixels between two events.
  const from = lastPlace || place;
  const steps = Math.max(Math.abs(place.row - from.row), Math.abs(place.column - from.column), 1);
  for (let step = 0; step <= steps; step += 1) {
    paint(Math.round(from.row + (place.row - from.row) * step / steps), Math.round(from.column + (place.column - from.column) * step / steps));
  }
  lastPlace = place;
  maskChanged();
}

function paintRegion(region) {
  const [rows, columns] = [model.rows, model.columns];
  const [halfRow, halfColumn] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  const [quarterRow, quarterColumn] = [Math.floor(rows / 4), Math.floor(columns / 4)];
  const isIn = {
    top: (row) => row < halfRow, bottom: (row) => row >= halfRow,
    left: (row, column) => column < halfColumn, right: (row, column) => column >= halfColumn,
    center: (row, column) => row >= quarterRow && row < quarterRow + halfRow && column >= quarterColumn && column < quarterColumn + halfColumn,
    all: () => true, none: () => false,
  }[region];
  for (let index = 0; index < missing.length; index += 1) {
    missing[index] = isIn(Math.floor(index / columns), index % columns) ? 1 : 0;
  }
  maskChanged();
}

function maskChanged() {
  drawEditor();
  showOrderSoon();
}

const missingRows = () => Array.from({ length: model.rows }, (_, row) =>
  Array.from(missing.subarray(row * model.columns, (row + 1) * model.columns)));

// --- The order -------------------------------------------------------------------------------------------------------

let orderTimer;
let orderRequest;

function showOrderSoon() {
  clearTimeout(orderTimer);
  orderTimer = setTimeout(attempt(showOrder), 200);
}

async function showOrder() {
  orderRequest?.abort();
  const picture = element("order-picture");
  if (!missing.includes(1)) {
    picture.hidden = true;
    return;
  }
  orderRequest = new AbortController();
  const body = JSON.stringify({ ...source, missing: missingRows(), order: element("order").value });
  const blob = await (await post("/api/orders", "application/json", body, orderRequest.signal)).blob();
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(blob);
  picture.alt = `Order ${element("order").value}: a curve through all pixels, the given ones first`;
  picture.hidden = false;
}

// --- Completions -----------------------------------------------------------------------------------------------------

function canvasFor(label) {
  const canvas = document.createElement("canvas");
  canvas.width = model.columns;
  canvas.height = model.rows;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

function prepareResults(samples, given) {
  largestNats = 1;
  element("results").replaceChildren();
  results = Array.from({ length: samples }, (_, index) => {
    const figure = document.createElement("figure");
    const pair = document.createElement("div");
    pair.className = "pair";
    const picture = canvasFor(`Completion ${index + 1}`);
    const heat = canvasFor(`How surprising each pixel of completion ${index + 1} is`);
    pair.append(picture, heat);
    const caption = document.createElement("figcaption");
    const text = document.createElement("span");
    text.textContent = "…";
    const save = document.createElement("button");
    save.type = "button";
    save.textContent = "Save";
    save.setAttribute("aria-label", `Save completion ${index + 1} as a PNG file`);
    save.addEventListener("click", () => savePicture(picture, index));
    caption.append(text, save);
    figure.append(pair, caption);
    element("results").append(figure);
    const context = picture.getContext("2d");
    for (let pixel = 0; pixel < given.length; pixel += 1) {
      context.fillStyle = `rgb(${given[pixel] ? hiddenColor : colorOf(image, pixel)})`;
      context.fillRect(pixel % model.columns, Math.floor(pixel / model.columns), 1, 1);
    }
    return { picture: context, heat: heat.getContext("2d"), text, nats: new Float64Array(given.length).fill(-1), given };
  });
}

function savePicture(canvas, index) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `completion-${index + 1}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

function drawHeat() {
  const showsGiven = element("show-given").checked;
  largestNats = 1;
  for (const result of results) {
    result.nats.forEach((nats, pixel) => { if (result.given[pixel] || showsGiven) largestNats = Math.max(largestNats, nats); });
  }
  for (const result of results) {
    const data = result.heat.createImageData(model.columns, model.rows);
    result.nats.forEach((nats, pixel) => {
      if (nats < 0 || !(result.given[pixel] || showsGiven)) return;
      data.data.set([...rampColor(nats / largestNats), 255], pixel * 4);
    });
    result.heat.putImageData(data, 0, 0);
  }
  element("ramp-end").textContent = `${largestNats.toFixed(1)} nats`;
  element("legend").hidden = results.length === 0;
}

let heatIsDue = false;

function drawHeatSoon() {
  if (heatIsDue) return;
  heatIsDue = true;
  requestAnimationFrame(() => { heatIsDue = false; drawHeat(); });
}

function takePixel(line) {
  const pixel = line.row * model.columns + line.column;
  results.forEach((result, sample) => {
    result.nats[pixel] = line.nats[sample];
    if (line.observed) return;
    result.picture.fillStyle = `rgb(${colorOf(line.levels[sample], 0)})`;
    result.picture.fillRect(line.column, line.row, 1, 1);
  });
}

// The lines of a response's body.
async function* linesOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}

// Waits until the time at which pixel `index` of `count` is due when all take `seconds`; the signal ends the wait.
async function untilDue(index, count, seconds, begin, signal) {
  const milliseconds = begin + 1000 * seconds * index / count - performance.now();
  // Less than a frame is not seen.
  if (milliseconds > 16) await new Promise((resolve) => setTimeout(resolve, milliseconds));
  signal.throwIfAborted();
}

function setRunning(isRunning) {
  app.dataset.state = isRunning ? "running" : "ready";
  element("complete").disabled = isRunning;
  element("stop").disabled = !isRunning;
}

async function complete(event) {
  event.preventDefault();
  tell("");
  const body = {
    ...source, missing: missingRows(), order: element("order").value, samples: Number(element("samples").value),
    temperature: Number(element("temperature").value), seed: element("seed").value,
  };
  const given = missing.slice();
  running = new AbortController();
  setRunning(true);
  let done = 0;
  let end;
  try {
    const response = await post("/api/completions", "application/json", JSON.stringify(body), running.signal);
    const signal = running.signal;
    const pace = Number(element("pace").value);
    let start;
    let begin;
    let generated = 0;
    for await (const line of linesOf(response)) {
      if (line.error) throw new Error(line.error);
      if (line.start) {
        start = line.start;
        prepareResults(start.samples, given);
        element("progress").max = start.rows * start.columns;
      } else if (line.end) {
        end = line.end;
      } else {
        if (!line.observed) {
          begin ??= performance.now();
          await untilDue(generated, start.missing, pace, begin, signal);
          generated += 1;
        }
        takePixel(line);
        done += 1;
        element("progress").value = done;
        element("status").textContent = line.observed ? "Reading the given pixels." : `Completing ${start.missing} pixels.`;
        drawHeatSoon();
      }
    }
    if (!end) throw new Error("The server ended the completion before its end.");
    drawHeat();
    results.forEach((result, sample) => {
      result.text.textContent = `${end.completed[sample].toFixed(1)} nats, ${(end.completed[sample] / start.missing).toFixed(3)} a pixel`;
    });
    element("status").textContent = `Completed ${start.missing} pixels ${start.samples === 1 ? "once" : `${start.samples} times`} in `
      + `${end.seconds.toFixed(2)} s: order ${start.order}, temperature ${start.temperature}, seed ${start.seed}. `
      + `The given pixels have ${end.observed[0].toFixed(1)} nats.`;
    if (element("new-seed").checked) element("seed").value = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  } catch (error) {
    element("status").textContent = error.name === "AbortError" ? "Stopped." : "Not completed.";
    throw error;
  } finally {
    running = undefined;
    setRunning(false);
  }
}

// --- Beginning -------------------------------------------------------------------------------------------------------

function listen() {
  editor.addEventListener("pointerdown", (event) => {
    editor.setPointerCapture(event.pointerId);
    lastPlace = undefined;
    paintAt(event);
  });
  editor.addEventListener("pointermove", (event) => { if (editor.hasPointerCapture(event.pointerId)) paintAt(event); });
  for (const name of ["focus", "blur"]) editor.addEventListener(name, drawEditor);
  editor.addEventListener("keydown", (event) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) {
      cursor = {
        row: Math.min(Math.max(cursor.row + move[0], 0), model.rows - 1),
        column: Math.min(Math.max(cursor.column + move[1], 0), model.columns - 1),
      };
    } else {
      paint(cursor.row, cursor.column);
    }
    maskChanged();
  });
  for (const button of document.querySelectorAll("[data-region]")) {
    button.addEventListener("click", () => paintRegion(button.dataset.region));
  }
  element("more").addEventListener("click", () => {
    firstExample = (firstExample + exampleCount) % model.examples;
    showExamples();
  });
  element("file").addEventListener("change", attempt(uploadFile));
  element("fit").addEventListener("click", attempt(uploadFitted));
  element("order").addEventListener("change", showOrderSoon);
  element("show-given").addEventListener("change", drawHeat);
  element("form").addEventListener("submit", attempt(complete));
  element("stop").addEventListener("click", () => running?.abort());
}

async function begin() {
  model = await (await request("/api/model")).json();
  element("model").textContent = `${model.model}${model.step === undefined ? "" : `, step ${model.step}`}: `
    + `${model.rows} × ${model.columns} pixels, ${model.channels === 1 ? "" : `${model.channels} channels, `}${model.levels} levels.`;
  for (const order of model.orders) {
    element("order").append(new Option(order.trained ? order.name : `${order.name} (not trained)`, order.name));
  }
  element("samples").max = model.limits.samples;
  element("samples").value = Math.min(4, model.limits.samples);
  const side = Math.max(4, Math.floor(840 / Math.max(model.rows, model.columns)));
  editor.width = model.columns * side;
  editor.height = model.rows * side;
  cursor = { row: Math.floor(model.rows / 2), column: Math.floor(model.columns / 2) };
  missing = new Uint8Array(model.rows * model.columns);
  const ramp = element("ramp").getContext("2d");
  for (let x = 0; x < 256; x += 1) {
    ramp.fillStyle = `rgb(${rampColor(x / 255)})`;
    ramp.fillRect(x, 0, 1, 1);
  }
  listen();
  if (model.examples > 0) {
    await useExample(0);
    showExamples();
  } else {
    image = new Uint8Array(model.rows * model.columns * model.channels);
    source = {};
  }
  paintRegion("bottom");
  setRunning(false);
}

attempt(begin)();
