// What the page does without the server: keys, countdowns, one click per form, and saying when the panel is unreachable.
// Everything here is a convenience; every form works, and is checked, without it.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);

  // --- the calendar: the server's now, running at the server's speed ---
  const root = document.documentElement;
  const base = { calendar: Date.parse(root.dataset.now), page: performance.now(), speed: Number(root.dataset.speed) || 1 };
  const calendarNow = () => base.calendar + (performance.now() - base.page) * base.speed;
  const two = (n) => String(n).padStart(2, "0");
  const countdown = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    const h = Math.floor(s / 3600), m = Math.floor((s % 3600) / 60);
    return h ? `${h}:${two(m)}:${two(s % 60)}` : `${two(m)}:${two(s % 60)}`;
  };
  const tick = () => {
    for (const place of document.querySelectorAll("[data-until]")) {
      const words = countdown(Date.parse(place.dataset.until) - calendarNow());
      if (place.textContent !== words) place.textContent = words;
    }
  };
  if (base.calendar) setInterval(tick, 500);

  // --- keys ---
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName) &&
      document.activeElement.type !== "radio";
    if (event.key === "Escape") {
      const close = document.querySelector("[data-close]"), menu = document.querySelector("details.menu[open]");
      if (close) location.assign(close.href);
      else if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      } else document.activeElement.blur();
    } else if (!typing && event.key === "/" && byId("q")) {
      event.preventDefault();
      byId("q").select();
    } else if (!typing && event.key === "/") {
      event.preventDefault();
      location.assign(document.querySelector(".brand").href + "?#q");
    } else if (!typing && event.key.toLowerCase() === "c" && byId("amount")) {
      event.preventDefault();
      byId("topup").scrollIntoView({ block: "nearest" });
      byId("amount").select();
    }
  });
  if (location.hash.startsWith("#e-")) byId(location.hash.slice(1))?.setAttribute("open", "");
  if (location.hash === "#q" && byId("q")) byId("q").focus();

  // --- quick amounts ---
  document.addEventListener("click", (event) => {
    const quick = event.target.closest("[data-amount]");
    if (!quick || !byId("amount")) return;
    event.preventDefault();
    byId("amount").value = quick.dataset.amount;
    byId("amount").dispatchEvent(new Event("input", { bubbles: true }));
  });

  // --- a receipt goes to the printer at once ---
  if (document.querySelector("[data-print]")) addEventListener("load", () => setTimeout(print, 100));

  // --- a menu closes when something else is chosen ---
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // --- a dialog that asks: nothing behind it can be reached while it is open ---
  const asks = document.querySelector("dialog.ask");
  if (asks) {
    asks.close();
    asks.showModal();
  }

  // --- a dangerous button wakes when the room has been typed ---
  for (const form of document.querySelectorAll("form[data-room]")) {
    const button = form.querySelector("[data-confirm]"), room = form.querySelector("[name=room]");
    const look = () => { button.disabled = room.value.trim().toLowerCase() !== form.dataset.room.toLowerCase(); };
    room.addEventListener("input", look);
    look();
  }

  // --- one click per form; the server holds it as well ---
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-once]")) return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("[data-once]")) delete form.dataset.sent;
  });

  // --- a chart wider than a phone begins where the day is ---
  const showNow = () => {
    for (const box of document.querySelectorAll(".wide")) {
      const line = box.querySelector(".now");
      if (line && box.scrollWidth > box.clientWidth)
        box.scrollLeft += line.getBoundingClientRect().left - box.getBoundingClientRect().left - box.clientWidth * 0.75;
    }
  };
  showNow();

  // --- refreshing fragments: nothing is replaced by the same; what was open stays open ---
  const shown = new Map();
  let opened = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target, words = event.detail.xhr.responseText, picked = getSelection();
    if (picked && !picked.isCollapsed && target.contains(picked.anchorNode)) {
      event.detail.shouldSwap = false;  // Somebody is copying from it; the next refresh comes soon enough.
      return;
    }
    if (event.detail.xhr.status === 200 && event.detail.requestConfig.triggeringEvent?.type !== "input") {
      if (shown.get(target.id) === words) event.detail.shouldSwap = false;
    }
    shown.set(target.id, words);
    opened = [...target.querySelectorAll("details[open][id]")].map((details) => details.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of opened) byId(id)?.setAttribute("open", "");
    tick();
    showNow();
  });

  // --- the panel itself is unreachable ---
  const unreachable = (gone) => { const bar = byId("unreachable"); if (bar) bar.hidden = !gone; if (gone) document.querySelector(".live")?.classList.add("lost"); };
  for (const name of ["sendError", "timeout"]) document.addEventListener(`htmx:${name}`, () => unreachable(true));
  document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status >= 500) unreachable(true); });
  document.addEventListener("htmx:afterOnLoad", () => unreachable(false));
})();
