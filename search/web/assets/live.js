// Keeps the page as the studies are: asks for the moving part every two seconds, and swaps what has changed.
"use strict";

const PAUSE = 2000;
const studies = document.getElementById("studies");
let tag = studies.dataset.tag;

function openParts(card) {
  return new Map([...card.querySelectorAll("details")].map((part) => [part.dataset.key, part.open]));
}

function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  for (const card of fresh.querySelectorAll("article")) {
    const old = document.getElementById(card.id);
    if (!old) continue;
    // What the visitor has opened or closed stays so.
    const opened = openParts(old);
    for (const part of card.querySelectorAll("details")) {
      if (opened.has(part.dataset.key)) part.open = opened.get(part.dataset.key);
    }
  }
  studies.replaceChildren(...fresh.childNodes);
  sayAgo();
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/live", { headers: { "If-None-Match": tag }, cache: "no-store" });
    if (answer.status === 200) {
      swap(await answer.text());
      tag = answer.headers.get("ETag");
    }
    // Busy is not gone: the next look may be answered.
    document.getElementById("lost").hidden = true;
  } catch {
    document.getElementById("lost").hidden = false;
  }
}

function ago(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

function sayAgo() {
  for (const one of document.querySelectorAll("time")) {
    const moment = new Date(one.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    one.title = moment.toLocaleString();
    one.textContent = `${ago((Date.now() - moment) / 1000)} ago`;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

sayAgo();
setInterval(sayAgo, 1000);
async function keepLooking() {
  await look();
  setTimeout(keepLooking, PAUSE);
}
document.addEventListener("visibilitychange", look);
setTimeout(keepLooking, PAUSE);
