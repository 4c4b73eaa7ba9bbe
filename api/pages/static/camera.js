/**
 * Codes by camera or from a picture, read in this browser: nothing of the picture leaves it.
 *
 *   <button type="button" data-camera="ID" hidden>   opens the camera
 *   <input type="file" data-picture="ID">            reads a picture; what is around it may be hidden till then
 *
 * What the code says goes into the field ID, and the form of that field is submitted. The field itself stays
 * beside both: a desk's scanner is a keyboard, and some browsers have no camera.
 *
 *   <form data-scans>   is empty again where nobody answered it
 */

// A frame of the camera may take this long; a picture that somebody chose is worth the whole search.
const FRAME = { effort: Infinity, timeLimit: 120 };
const PICTURE = { effort: Infinity, timeLimit: 4000 };
const DRAWN = 1200;
const SIDE_MAX = 2400;
// Dense codes want pixels: certificates have up to 93 modules a side, and a margin.
const VIDEO = { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } };

const english = document.documentElement.lang === "en";
const say = (vi, en) => (english ? en : vi);
const WORDS = {
  title: say("Đưa mã vào giữa khung hình", "Hold the code in the middle"),
  hint: say("Giữ yên, cách chừng một gang tay. Mã tự được đọc.", "Hold still, about 20 cm away."),
  opening: say("Đang mở máy ảnh…", "Opening the camera…"),
  close: say("Đóng máy ảnh", "Close the camera"),
  none: say("Không dùng được máy ảnh trên máy này. Hãy nhập mã.", "No camera can be used here. Type the code."),
  denied: say(
    "Trình duyệt chưa được phép dùng máy ảnh. Hãy cho phép trong phần cài đặt của trang này, hoặc nhập mã bằng tay.",
    "The browser may not use the camera. Allow it in this page's settings, or type the code.",
  ),
  reading: say("Đang đọc ảnh…", "Reading the picture…"),
  unread: say(
    "Không thấy mã nào trong ảnh này. Hãy chụp lại cho rõ, mã nằm gọn trong ảnh.",
    "No code was found in this picture. Take it again, sharp and with the whole code.",
  ),
};

/** Reads an image, a video or a bitmap of that size; null where no code is found. */
async function reader() {
  const { decodeQR } = await import("./vendor/qr/decode.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (source, width, height, effort) => {
    const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    context.fillStyle = "#fff"; // what is transparent in a picture is paper
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    try {
      return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height), effort);
    } catch {
      return null;
    }
  };
}

/** The browser's own reader where it has one that knows these codes. */
async function detector() {
  const own = globalThis.BarcodeDetector;
  const formats = (await own?.getSupportedFormats?.().catch(() => [])) ?? [];
  return formats.includes("qr_code") ? new own({ formats: ["qr_code"] }) : null;
}

async function detected(own, source) {
  try {
    return (await own?.detect(source))?.[0]?.rawValue || null;
  } catch {
    return null;
  }
}

function give(id, text) {
  const field = document.getElementById(id);
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.form?.requestSubmit();
}

/** A line beside the control, read out when it changes. */
function lineBeside(control) {
  const line = element("p", "camera-note");
  line.setAttribute("role", "status");
  control.insertAdjacentElement("afterend", line);
  return line;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function dialogOfCamera() {
  const dialog = element("dialog", "camera");
  const title = element("h2", "camera__title nhsuk-heading-m", WORDS.title);
  title.id = "camera-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const video = element("video", "camera__video");
  Object.assign(video, { muted: true, playsInline: true, autoplay: true });
  const hint = element("p", "camera__hint", WORDS.opening);
  hint.setAttribute("role", "status");
  const close = element("button", "nhsuk-button nhsuk-button--secondary camera__close", WORDS.close);
  close.type = "button";
  close.addEventListener("click", () => dialog.close());
  dialog.append(title, video, hint, close);
  document.body.append(dialog);
  return { dialog, video, hint };
}

const reason = (error) => (["NotAllowedError", "SecurityError"].includes(error.name) ? WORDS.denied : WORDS.none);

/** Opens the camera until a code is read or the dialog is closed; then it is off, whatever happened. */
async function scan(id, note) {
  const { dialog, video, hint } = dialogOfCamera();
  const leave = () => document.hidden && dialog.close();
  let stream = null;
  let found = null;
  dialog.addEventListener("close", () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    document.removeEventListener("visibilitychange", leave);
    dialog.remove();
    if (found !== null) give(id, found);
  });
  document.addEventListener("visibilitychange", leave);
  note.textContent = "";
  dialog.showModal();
  try {
    const [opened, read, own] = await Promise.all([
      navigator.mediaDevices.getUserMedia({ video: VIDEO, audio: false }),
      reader(),
      detector(),
    ]);
    stream = opened;
    if (!dialog.open) return stream.getTracks().forEach((track) => track.stop());
    video.srcObject = stream;
    await video.play();
    hint.textContent = WORDS.hint;
    found = await firstCode(dialog, video, read, own);
  } catch (error) {
    if (dialog.open) note.textContent = reason(error);
  }
  dialog.close();
}

async function firstCode(dialog, video, read, own) {
  while (dialog.open) {
    await new Promise((next) => requestAnimationFrame(next));
    const { videoWidth: width, videoHeight: height } = video;
    if (!width || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) continue;
    const text = (await detected(own, video)) ?? read(video, width, height, FRAME);
    if (text && dialog.open) return text;
  }
  return null;
}

async function readPicture(file, id, note) {
  note.textContent = WORDS.reading;
  const bitmap = await createImageBitmap(file).catch(() => drawing(file));
  await new Promise((next) => setTimeout(next));
  const text = bitmap && ((await detected(await detector(), bitmap)) ?? (await inPicture(bitmap)));
  note.textContent = text ? "" : WORDS.unread;
  if (text) give(id, text);
}

/** What was saved from a page of ours is a drawing without a size, which no bitmap is made of. */
async function drawing(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = DRAWN;
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, DRAWN, DRAWN);
    context.drawImage(image, 0, 0, DRAWN, DRAWN);
    return canvas;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** A code that fills a large picture is read better when it is smaller, and a small one when it is larger. */
async function inPicture(bitmap) {
  const read = await reader();
  const [width, height] = [bitmap.width, bitmap.height];
  const whole = read(bitmap, width, height, PICTURE);
  if (whole || Math.max(width, height) < 600) return whole ?? read(bitmap, width * 3, height * 3, PICTURE);
  return read(bitmap, width / 2, height / 2, PICTURE);
}

const hasCamera = Boolean(navigator.mediaDevices?.getUserMedia);
const ready = new WeakSet();

/** Controls that were not met before, also those that came with a part of the page. */
function prepare() {
  for (const button of document.querySelectorAll("[data-camera]")) if (isNew(button)) prepareCamera(button);
  for (const input of document.querySelectorAll("[data-picture]")) if (isNew(input)) preparePicture(input);
}

const isNew = (control) => !ready.has(control) && Boolean(ready.add(control));

function prepareCamera(button) {
  const note = lineBeside(button);
  button.hidden = !hasCamera;
  if (!hasCamera) note.textContent = WORDS.none;
  button.addEventListener("click", () => scan(button.dataset.camera, note));
}

function preparePicture(input) {
  const note = lineBeside(input.parentElement);
  const around = input.closest("[hidden]");
  if (around) around.hidden = false;
  input.addEventListener("change", () => input.files[0] && readPicture(input.files[0], input.dataset.picture, note));
}

/** What the last one showed stays in no field, and what is scanned next stands alone. */
function emptyUnanswered({ target, detail }) {
  const form = target.closest?.("form[data-scans]");
  const status = detail?.ctx?.response?.status ?? 0;
  if (!form || (status > 0 && status < 500)) return;
  form.reset();
  form.querySelector("[autofocus]")?.focus();
}

document.addEventListener("htmx:error", emptyUnanswered);
document.addEventListener("htmx:response:error", emptyUnanswered);

prepare();
new MutationObserver(prepare).observe(document.body, { childList: true, subtree: true });
