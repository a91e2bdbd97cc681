package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"syscall"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/simulator"
)

// ports are the addresses that the next run takes again if it can: stored cursors and subscriptions name them.
type ports struct {
	Simulator string `json:"simulator"`
	Push      string `json:"push"`
}

const portsFile = "demo.json"

func readPorts(dir *datadir.Dir) (ports, error) {
	p := ports{Simulator: "127.0.0.1:0", Push: "127.0.0.1:0"}
	body, err := os.ReadFile(dir.Join(portsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil {
		return p, fmt.Errorf("read the ports of the last run: %w", err)
	}
	return p, nil
}

func writePorts(dir *datadir.Dir, p ports, simulatorURL, pushURL string) error {
	p.Simulator, p.Push = host(simulatorURL), host(pushURL)
	body, err := json.Marshal(p)
	if err == nil {
		err = os.WriteFile(dir.Join(portsFile), body, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the ports of this run: %w", err)
	}
	return nil
}

func host(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return u.Host
}

// newSimulator takes another port where that of the last run is taken.
func newSimulator(cfg simulator.Config, deps simulator.Deps) (*simulator.Server, error) {
	s, err := simulator.New(cfg, deps)
	if errors.Is(err, syscall.EADDRINUSE) {
		cfg.Addr = "127.0.0.1:0"
		s, err = simulator.New(cfg, deps)
	}
	if err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	return s, nil
}
