// The body of gr.HTML's js_on_load: `element` is the component, `trigger` tells Python, `watch` hears of new content. A table that is
// drawn anew every few seconds: what counts is where a press began, for that row may be another element when it ends.
const CHOICES = "[data-at], [data-incident], [data-camera]";
const FAR_PX = 8;
let pressed = null;
let focused = null;

const chosen = (target) => {
  const found = target.closest && target.closest(CHOICES);
  return found ? { ...found.dataset } : null;
};
const pick = (choice) => {
  if (choice.at) trigger("submit", { at: choice.at });
  else if (choice.incident) trigger("select", { incident: choice.incident });
  else trigger("select", { camera: choice.camera });
};

element.addEventListener("pointerdown", (event) => {
  const choice = event.button === 0 ? chosen(event.target) : null;
  pressed = choice && { choice, x: event.clientX, y: event.clientY };
});
element.addEventListener("pointerup", (event) => {
  if (pressed && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < FAR_PX) pick(pressed.choice);
  pressed = null;
});
element.addEventListener("pointercancel", () => { pressed = null; });
element.addEventListener("keydown", (event) => {
  if ((event.key !== "Enter" && event.key !== " ") || !event.target.matches(CHOICES)) return;
  event.preventDefault();
  pick(chosen(event.target));
});
// Clicks of assistive programs come without a pointer.
element.addEventListener("click", (event) => {
  const choice = event.detail === 0 ? chosen(event.target) : null;
  if (choice) pick(choice);
});

const keyOf = (target) => Object.entries(target.dataset).map(([name, value]) => `[data-${name}="${CSS.escape(value)}"]`).join("");
element.addEventListener("focusin", (event) => {
  focused = event.target.matches(CHOICES) ? `${event.target.tagName}${keyOf(event.target)}` : null;
});
element.addEventListener("focusout", (event) => { if (event.relatedTarget) focused = null; });
watch("value", () => {
  if (focused && document.activeElement === document.body) element.querySelector(focused)?.focus({ preventScroll: true });
});
