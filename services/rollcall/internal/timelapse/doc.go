// Package timelapse holds tests of the whole on a clock of their own: hours pass in seconds, and no faster than the slowest
// part has done what it had to do. The provider is the simulator over HTTPS; receiver, worker, NATS and SQLite are those of
// production, and what is measured is what a consumer hears.
package timelapse
