// Puts what the user may do in the place of what the page shows, each time that it is another thing.
const shown = document.getElementById("capabilities");
if (shown) {
  new EventSource("/live").onmessage = (message) => {
    shown.innerHTML = message.data; // from our own server, which has escaped it
  };
}
