// Codes: from a PDA or scanner gun that types, from the camera, or by hand.
(() => {
  "use strict";
  const normal = (raw) => {
    let text = [...raw.normalize("NFKC")].filter((char) => !/[\p{C}\p{Z}]/u.test(char)).join("");
    if (text.includes("://")) text = text.split("?", 1)[0].replace(/\/+$/, "").split("/").pop();
    return text.toUpperCase();
  };

  // A gun types a whole code within a moment and ends with Enter or Tab; fingers do not.
  const listen = (found) => {
    let typed = "";
    let last = 0;
    document.addEventListener("keydown", (event) => {
      if (event.target.closest?.("input, textarea, select")) return;
      const now = performance.now();
      if (now - last > 120) typed = "";
      last = now;
      if ((event.key === "Enter" || event.key === "Tab") && typed.length >= 6) {
        event.preventDefault();
        found(normal(typed));
        typed = "";
      } else if (event.key.length === 1) typed += event.key;
    });
  };

  const detectorOfBrowser = async () => {
    if (!("BarcodeDetector" in window)) return null;
    try {
      const known = await BarcodeDetector.getSupportedFormats();
      if (!known.includes("code_128")) return null;
      const detector = new BarcodeDetector({ formats: ["code_128", "qr_code"].filter((format) => known.includes(format)) });
      return async (video) => (await detector.detect(video))[0]?.rawValue ?? null;
    } catch (missing) {
      return null;
    }
  };
  const detectorOfLibrary = () => {
    const hints = new Map([[ZXing.DecodeHintType.POSSIBLE_FORMATS, [ZXing.BarcodeFormat.CODE_128, ZXing.BarcodeFormat.QR_CODE]]]);
    const reader = new ZXing.MultiFormatReader();
    reader.setHints(hints);
    const canvas = document.createElement("canvas");
    return async (video) => {
      canvas.width = Math.min(video.videoWidth, 1280);
      canvas.height = Math.round(canvas.width * video.videoHeight / video.videoWidth);
      canvas.getContext("2d", { willReadFrequently: true }).drawImage(video, 0, 0, canvas.width, canvas.height);
      try {
        const source = new ZXing.HTMLCanvasElementLuminanceSource(canvas);
        return reader.decode(new ZXing.BinaryBitmap(new ZXing.HybridBinarizer(source))).getText();
      } catch (nothing) {
        return null;
      }
    };
  };

  let stream = null;
  const stopCamera = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
  };
  // Shows the camera in `video` until a code is found or the screen is left. Returns null then; raises without a camera.
  const fromCamera = async (video) => {
    stopCamera();
    const mine = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
    stream = mine;
    video.srcObject = mine;
    await video.play();
    const detect = (await detectorOfBrowser()) ?? detectorOfLibrary();
    while (stream === mine) {
      const text = video.readyState >= 2 ? await detect(video) : null;
      if (text) {
        stopCamera();
        navigator.vibrate?.(80);
        return normal(text);
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    return null;
  };

  Object.assign(Handset, { fromCamera, listen, normal, stopCamera });
})();
