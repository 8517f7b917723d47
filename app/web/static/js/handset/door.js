// At the door: code, photo, signature, and what must be there before a delivery can be recorded.
(() => {
  "use strict";
  const LONGEST_SIDE = 1280;
  const base64Of = (url) => url.slice(url.indexOf(",") + 1);

  // Drawn anew, so that place and camera that a photo carries stay behind; about 150 kB.
  const photoOf = async (file) => {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return canvas.toDataURL("image/jpeg", 0.7);
  };

  const hintOf = async (parcel, code) => {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${parcel}:${code}`)));
    return digest[0].toString(16).padStart(2, "0");
  };
  // Asks the server; without a connection the eight bits that the round carries.
  const checkCode = async (round, stop, code) => {
    if (navigator.onLine) try {
      const answer = await Handset.call(`rounds/${round.id}/stops/${stop.parcel_id}/code`, { code }, 4000);
      return { right: answer.check === "right", sure: true, left: answer.tries_left, locked: answer.is_locked };
    } catch (failure) {
      if (failure instanceof Handset.Refusal && failure.status < 500 && failure.status !== 401) throw failure;
    }
    const right = (await hintOf(stop.parcel_id, code)) === stop.code_hint;
    const left = right ? stop.tries_left : Math.max(0, stop.tries_left - 1);
    return { right, sure: false, left, locked: left === 0, isNews: left === 0 && !right };
  };

  // The message for what is missing, or null. The server decides again.
  const missing = (words, stop, given) => {
    if (!given.signer) return words.needSigner;
    const hasId = given.id_type && /^[0-9A-Za-z]{4}$/.test(given.id_last4);
    if (given.id_type && !hasId) return words.needLast4;
    if (given.signer === "self" && !given.codeRight && !hasId) return words.needProof;
    if (given.signer === "agent" && stop.who_may_sign === "agent" && !(given.codeRight && hasId && given.signer_name)) return words.needBoth;
    if (given.signer !== "unattended" && !given.signature) return words.needSignature;
    if (["reception", "unattended"].includes(given.signer) && !given.photo) return words.needPhoto;
    return null;
  };
  const isAllowed = (stop, signer) => signer === "self" || (signer === "agent" && stop.who_may_sign === "agent");

  const padOn = (canvas) => {
    const ratio = Math.max(devicePixelRatio || 1, 1);
    canvas.width = canvas.offsetWidth * ratio;
    canvas.height = canvas.offsetHeight * ratio;
    canvas.getContext("2d").scale(ratio, ratio);
    return new SignaturePad(canvas, { backgroundColor: "#ffffff", penColor: "#101820" });
  };

  Object.assign(Handset, { base64Of, checkCode, isAllowed, missing, padOn, photoOf });
})();
