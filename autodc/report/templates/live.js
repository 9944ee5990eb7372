"use strict";
// Asks where the study is every two seconds, and takes a new page in behind the old one: what is scrolled to and
// unfolded stays.
const EVERY = 2000;
const now = document.getElementById("now");
const pages = document.getElementById("pages");
let shown = null;

function say(words, trouble) {
  if (now.textContent !== words) now.textContent = words;
  now.classList.toggle("trouble", trouble);
}

function carry(from, to) {
  const folds = from.document.querySelectorAll("details");
  to.document.querySelectorAll("details").forEach((one, k) => { if (folds[k]) one.open = folds[k].open; });
  to.document.documentElement.style.scrollBehavior = "auto";
  to.scrollTo(from.scrollX, from.scrollY);
}

function take(version) {
  const old = pages.querySelector("iframe:not(.behind)");
  pages.querySelectorAll("iframe.behind").forEach((one) => one.remove());
  const next = old.cloneNode(false);
  next.className = "behind";
  next.addEventListener("load", () => {
    if (!next.isConnected) return;
    const focused = document.activeElement === old;
    carry(old.contentWindow, next.contentWindow);
    next.className = "";
    old.remove();
    if (focused) next.focus();
  }, { once: true });
  next.src = "/report?" + encodeURIComponent(version);
  pages.append(next);
}

async function look() {
  try {
    const answer = await fetch("/status.json", { cache: "no-store" });
    if (answer.status === 403) {
      say("no longer let in: open the address that `autodc serve` prints now", true);
      return;
    }
    const told = await answer.json();
    say(told.error || told.line, Boolean(told.error) || told.alarms.length > 0);
    if (shown !== null && told.page !== shown) take(told.page);
    shown = told.page;
  } catch (error) {
    say("`autodc serve` does not answer; the study is not touched by that", true);
  }
  setTimeout(look, EVERY);
}

look();
