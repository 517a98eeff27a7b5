// The body of gr.HTML's js_on_load: `element` is the component, `trigger` tells Python, `watch` hears of new content. Keeps the picture
// fresh and lets corners be clicked on it; what is drawn goes to Python, which saves it.
const EVERY_MS = 5000;
const LEAST = 3;
const MOST = 20;
let corners = [];
let shot = null;
let isFetching = false;
// The picture that is not there; asked for again when the camera has recorded something, or is chosen again.
let missing = null;

const picture = () => element.querySelector(".tt-picture");
const inside = (selector) => element.querySelector(selector);

function draw() {
  const form = inside(".tt-zone-form");
  if (!form) return;
  inside(".tt-draft").setAttribute("points", corners.map((corner) => corner.join(",")).join(" "));
  for (const dot of element.querySelectorAll(".tt-corner")) dot.remove();
  for (const [x, y] of corners) {
    const dot = document.createElement("span");
    dot.className = "tt-corner";
    dot.style.left = `${100 * x}%`;
    dot.style.top = `${100 * y}%`;
    inside(".tt-stage").append(dot);
  }
  inside(".tt-corners").textContent = corners.length ? `${corners.length} ${picture().dataset.corners}` : "";
  form.querySelector("[data-undo]").disabled = !corners.length;
  const isNamed = form.elements.name.value.trim() && form.elements.kind.value.trim();
  form.querySelector("[type=submit]").disabled = corners.length < LEAST || !isNamed;
}

function show() {
  const image = inside(".tt-stage img");
  if (!image) return;
  const isOurs = shot && shot.src === picture().dataset.src;
  image.hidden = !isOurs;
  if (isOurs) image.src = shot.url;
  inside(".tt-stage-note").textContent = isOurs ? shot.taken : picture().dataset.empty;
}

const isSeen = () => picture() && element.isConnected && element.offsetParent && !document.hidden;

async function refresh() {
  const src = picture() && picture().dataset.src;
  if (!isSeen() || isFetching || corners.length || src === missing) return;
  isFetching = true;
  try {
    const answer = await fetch(src, { cache: "no-store" });
    if (answer.ok) {
      const url = URL.createObjectURL(await answer.blob());
      const old = shot;
      const taken = (answer.headers.get("X-Taken-At") || "").slice(0, 19).replace("T", " ");
      shot = { src, url, taken: taken && `${taken} UTC` };
      show();
      if (old) URL.revokeObjectURL(old.url);
    } else if (!("recorded" in picture().dataset)) missing = src;
  } catch { /* the list of cameras says that the service is away */ }
  isFetching = false;
  if (picture() && picture().dataset.src !== src) refresh();
}

function onNew() {
  corners = [];
  missing = null;
  inside(".tt-zone-form")?.reset();
  show();
  draw();
  refresh();
}

element.addEventListener("click", (event) => {
  const target = event.target;
  if (target.closest(".tt-stage") && !inside(".tt-stage img").hidden) {
    const box = inside(".tt-stage").getBoundingClientRect();
    const share = (at, from, length) => Number(Math.min(1, Math.max(0, (at - from) / length)).toFixed(4));
    if (corners.length < MOST) corners.push([share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height)]);
    draw();
  } else if (target.closest("[data-undo]")) {
    corners.pop();
    draw();
  } else if (target.closest("[data-remove]")) {
    trigger("delete", { camera: picture().dataset.camera, name: target.closest("[data-remove]").dataset.remove });
  } else if (target.closest("[data-reset]")) {
    trigger("clear");
  }
});
element.addEventListener("input", draw);
element.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.querySelector("[type=submit]").disabled) return;
  trigger("submit", {
    camera: picture().dataset.camera, name: form.elements.name.value, kind: form.elements.kind.value, points: corners,
  });
});
watch("value", onNew);
const clock = setInterval(() => (element.isConnected ? refresh() : clearInterval(clock)), EVERY_MS);
onNew();
