// Keeps a page fresh: takes pictures from the stream of events, counts the seconds of who waits, and says when the
// stream is lost. It is written for the browsers of televisions too: no syntax that is younger than 2018.
"use strict";

(function () {
	const now = document.getElementById("now");
	const link = document.getElementById("link");
	const said = document.getElementById("said");
	const silence = 25000; // the switchboard sends a picture every 10 s
	const again = [2000, 5000, 10000, 20000, 30000];
	let source = null;
	let heard = Date.now(); // when the picture came
	let lost = false;
	let tries = 0;
	let timer = 0;

	const clock = () => document.getElementById("picture").getAttribute("data-clock");
	const sentences = () => Array.from(document.querySelectorAll("#important li"), (item) => item.textContent.trim());
	const speak = (text) => { said.textContent = text; };

	// patch makes an element like another one. What is alike stays: focus, selection, opened details.
	function patch(old, fresh) {
		if (old.nodeType === Node.TEXT_NODE) {
			if (old.data !== fresh.data) old.data = fresh.data;
			return;
		}
		if (old.nodeType !== Node.ELEMENT_NODE) return;
		for (const { name, value } of Array.from(fresh.attributes)) {
			if (old.getAttribute(name) !== value) old.setAttribute(name, value);
		}
		for (const { name } of Array.from(old.attributes)) {
			if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
		}
		const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
		const wanted = Array.from(fresh.childNodes);
		const ids = new Set(wanted.map((node) => node.id).filter(Boolean));
		let at = old.firstChild;
		for (const node of wanted) {
			while (at && at.id && !ids.has(at.id)) { // gone: what follows need not move
				const next = at.nextSibling;
				at.remove();
				at = next;
			}
			let match = at && alike(at, node) ? at : null;
			if (!match && node.id) match = Array.from(old.children).find((child) => alike(child, node)) || null;
			if (!match) {
				old.insertBefore(document.importNode(node, true), at);
				continue;
			}
			if (match === at) at = at.nextSibling;
			else old.insertBefore(match, at);
			patch(match, node);
		}
		while (at) {
			const next = at.nextSibling;
			at.remove();
			at = next;
		}
	}

	function show(html) {
		const before = sentences();
		const inside = now.contains(document.activeElement);
		const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("picture");
		if (!fresh) return;
		patch(document.getElementById("picture"), fresh);
		heard = Date.now();
		const news = sentences().filter((sentence) => !before.includes(sentence)).map((sentence) => sentence.replace(/^▲\s*/, ""));
		if (inside && document.activeElement === document.body) now.focus(); // what had the focus is gone
		if (lost) {
			lost = false;
			link.hidden = true;
			link.firstElementChild.textContent = "";
			document.documentElement.classList.remove("lost");
			news.unshift(link.getAttribute("data-back"));
		}
		if (news.length > 0) speak(news.join(" "));
		tries = 0;
		count();
	}

	// count shows how long somebody has waited by now. While the stream is lost nothing counts: he may be gone.
	function count() {
		if (lost) return;
		const since = Math.max(0, Math.floor((Date.now() - heard) / 1000));
		for (const place of document.querySelectorAll("[data-waited]")) {
			const seconds = Number(place.getAttribute("data-waited")) + since;
			const two = (n) => String(n).padStart(2, "0");
			const text = seconds < 3600 ? Math.floor(seconds / 60) + ":" + two(seconds % 60)
				: Math.floor(seconds / 3600) + ":" + two(Math.floor(seconds / 60) % 60) + ":" + two(seconds % 60);
			if (place.textContent !== text) place.textContent = text;
			if (place.hasAttribute("data-limit")) {
				const late = seconds > Number(place.getAttribute("data-limit"));
				const queue = place.closest(".queue");
				queue.classList.toggle("is-late", late);
				queue.querySelector(".late").hidden = !late;
			}
		}
	}

	function lose(key) {
		lost = true;
		document.documentElement.classList.add("lost");
		const text = link.getAttribute(key).replace("{time}", clock());
		const place = link.firstElementChild;
		if (place.textContent !== text) place.textContent = text;
		const login = link.querySelector("a");
		if (login) login.hidden = key !== "data-ended";
		link.hidden = false;
	}

	function later() {
		if (source) source.close();
		source = null;
		clearTimeout(timer);
		timer = setTimeout(open, again[Math.min(tries++, again.length - 1)] * (0.8 + 0.4 * Math.random()));
	}

	function open() {
		const mine = source = new EventSource(now.getAttribute("data-events"));
		mine.addEventListener("picture", (event) => { if (mine === source) show(event.data); });
		mine.addEventListener("error", () => {
			if (mine !== source) return;
			lose("data-lost");
			later();
			// The page itself tells whether the switchboard is away, or knows us no more and sends us to the login.
			fetch(location.pathname, { method: "HEAD", redirect: "manual", cache: "no-store" }).then((answer) => {
				if (lost && (answer.type === "opaqueredirect" || answer.status === 403)) lose("data-ended");
			}, () => {});
		});
	}

	setInterval(() => {
		count();
		if (source && Date.now() - heard > silence) {
			lose("data-lost");
			heard = Date.now(); // the next attempt has its own time
			later();
		}
	}, 1000);
	addEventListener("pagehide", () => { if (source) source.close(); source = null; clearTimeout(timer); });
	addEventListener("pageshow", (event) => { if (event.persisted) open(); });
	open();
})();
