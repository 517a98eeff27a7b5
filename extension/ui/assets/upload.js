// The body of gr.HTML's js_on_load: `element` is the component, `trigger` tells Python. The browser sends the form to
// the API itself, so that a video is written once and its progress is known.
element.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const message = form.querySelector(".tt-message");
  const button = form.querySelector("button");
  const say = (text, isBad) => {
    message.textContent = text;
    message.classList.toggle("tt-error", isBad);
  };
  if (!form.elements.video.files.length && !form.elements.trajectory.files.length) {
    say(form.dataset.choose, true);
    return;
  }
  const request = new XMLHttpRequest();
  const over = (text, isBad) => {
    button.disabled = false;
    say(text, isBad);
  };
  request.upload.addEventListener("progress", (sent) => {
    const percent = sent.total ? Math.floor((100 * sent.loaded) / sent.total) : 0;
    say(percent < 100 ? `${form.dataset.sending} ${percent} %` : form.dataset.checking, false);
  });
  request.addEventListener("load", () => {
    let body = {};
    try { body = JSON.parse(request.responseText); } catch { /* a proxy's own page: the status says enough */ }
    if (request.status === 202) {
      form.reset();
      over(form.dataset.accepted, false);
      trigger("submit", { job: body.id });
    } else {
      over(form.dataset.refused + (body.detail || `${request.status} ${request.statusText}`), true);
    }
  });
  request.addEventListener("error", () => over(form.dataset.cut, true));
  request.open("POST", form.getAttribute("action"));
  button.disabled = true;
  say(form.dataset.sending, false);
  request.send(new FormData(form));
});
