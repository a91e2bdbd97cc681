package torture

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/house"
)

// part is one of the processes, over all of its lives.
type part struct {
	name    string
	address string // where it listens
	url     string // that answers 200 when it is ready; "" for NATS, which says nothing over HTTP
	program string
	env     []string
	log     *os.File

	mu      sync.Mutex
	life    *house.Process
	killed  *house.Process // the last life that the driver ended
	lives   int
	endings []string // lives that ended by themselves
}

// start begins another life.
func (p *part) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	life, err := house.Start(p.env, []io.Writer{p.log}, p.program, "torture", "part", p.name)
	if err != nil {
		return err
	}
	p.life = life
	p.lives++
	go p.watch(life)
	return nil
}

// watch notes a life that ended by itself, which is a fault, and begins another.
func (p *part) watch(life *house.Process) {
	<-life.Exited()
	p.mu.Lock()
	by := p.killed == life
	if !by {
		p.endings = append(p.endings, fmt.Sprintf("%s ended by itself; it said last:\n%s", p.name, life.Said))
	}
	p.mu.Unlock()
	if !by && len(p.ended()) < mostEndings {
		_ = p.start() // where it cannot, the end of the run says so
	}
}

// mostEndings is how often a part may end by itself before it is left alone: a part that cannot start would do nothing else.
const mostEndings = 5

func (p *part) ended() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.endings
}

// kill ends the present life as a power cut would.
func (p *part) kill() {
	p.mu.Lock()
	life := p.life
	p.killed = life
	p.mu.Unlock()
	if life != nil {
		life.Kill()
	}
}

func (p *part) awaitReady(ctx context.Context) error {
	p.mu.Lock()
	life := p.life
	p.mu.Unlock()
	return life.AwaitOK(ctx, p.url)
}

// metric is the sum of one of its metrics in the present life; 0 where it does not answer.
func (p *part) metric(ctx context.Context, name string) float64 {
	n, err := house.Metric(ctx, "https://"+p.address, name, "")
	if err != nil {
		return 0
	}
	return n
}

// parts are all processes of a run.
type parts struct {
	nats, simulator *part
	services        []*part // receivers and worker
	folder          string
	cert, key       string // that receivers take pushes with
}

// all lists them in the order in which they are started.
func (p *parts) all() []*part { return append([]*part{p.simulator, p.nats}, p.services...) }

// receivers are the services that read directories.
func (p *parts) receivers() []*part {
	return slices.DeleteFunc(slices.Clone(p.services), func(one *part) bool { return one.name == partWorker })
}

// newParts finds an address and a folder for each part.
func newParts(ctx context.Context, cfg Config, program, folder string, origin time.Time) (p *parts, err error) {
	p = &parts{folder: folder}
	if p.cert, p.key, err = house.Certificate(folder, time.Now()); err != nil {
		return nil, err
	}
	open := func(name string) (made *part, err error) {
		made = &part{name: name, program: program, env: append(cleanEnvironment(), envClock+"="+writeClock(origin, cfg.Speed))}
		if made.address, err = house.FreeAddress(ctx); err != nil {
			return nil, err
		}
		made.log, err = os.OpenFile(filepath.Join(folder, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		return made, err
	}
	for _, name := range []string{partSimulator, partNATS} {
		made, err := open(name)
		if err != nil {
			return nil, err
		}
		made.env = append(made.env, envListen+"="+made.address, envFolder+"="+filepath.Join(folder, name), envTrust+"="+p.cert)
		if name == partNATS {
			p.nats = made
		} else {
			p.simulator, made.url = made, "https://"+made.address+"/healthz"
		}
	}
	roles := []string{partWorker}
	if cfg.has(directory.Entra) {
		roles = append(roles, partGraph)
	}
	if cfg.has(directory.GoogleWorkspace) {
		roles = append(roles, partWorkspace)
	}
	for _, role := range roles {
		made, err := open(role)
		if err != nil {
			return nil, err
		}
		made.url = "https://" + made.address + "/readyz"
		made.env = append(made.env, p.settings(cfg, role, made.address)...)
		p.services = append(p.services, made)
	}
	return p, nil
}

// settings are those of "rollcall serve" for one role. Times in them are those of the scaled clock.
func (p *parts) settings(cfg Config, role, address string) []string {
	scaled := func(d time.Duration) string { return time.Duration(float64(d) * cfg.Speed).String() }
	return []string{
		"ROLLCALL_DATA=" + filepath.Join(p.folder, role),
		"ROLLCALL_NATS_URL=nats://" + p.nats.address, "ROLLCALL_NATS_PARTITIONS=" + strconv.Itoa(partitions),
		"ROLLCALL_HTTP_ADDR=" + address, "ROLLCALL_HTTP_TLS_CERT_FILE=" + p.cert, "ROLLCALL_HTTP_TLS_KEY_FILE=" + p.key,
		"ROLLCALL_INTAKE_PUBLIC_URL=https://" + address, "ROLLCALL_LOG_FORMAT=text",
		"ROLLCALL_SYNC_POLL_INTERVAL=" + pollInterval.String(), "ROLLCALL_SYNC_FULL_INTERVAL=" + cfg.fullInterval().String(),
		"ROLLCALL_SYNC_VANISH=" + scaled(vanish), "ROLLCALL_WORKER_SETTLE=" + scaled(settle), "ROLLCALL_WORKER_DOUBT=" + doubt.String(),
		"ROLLCALL_LEASE_TTL=" + scaled(leaseTTL),
	}
}

// readInFullNoMore has the receivers' next lives read no directory in full by the clock.
func (p *parts) readInFullNoMore() {
	for _, one := range p.services {
		one.mu.Lock()
		one.env = append(one.env, "ROLLCALL_SYNC_FULL_INTERVAL=0")
		one.mu.Unlock()
	}
}

// ledger is the address of the worker's ledger.
func (p *parts) ledger() string { return filepath.Join(p.folder, partWorker, "ledger.db") }

func (p *parts) start(ctx context.Context) error {
	for _, one := range p.all() {
		if err := one.start(); err != nil {
			return err
		}
	}
	for _, one := range p.all() {
		if one.url == "" {
			continue
		}
		if err := one.awaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop kills all of them, and returns those lives that had ended before.
func (p *parts) stop() (endings []string) {
	for _, one := range p.all() {
		one.kill()
		endings = append(endings, one.ended()...)
		_ = one.log.Close()
	}
	return endings
}

// cleanEnvironment is this process's without settings of Rollcall, which are not meant for a torture.
func cleanEnvironment() (env []string) {
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "ROLLCALL_") {
			env = append(env, variable)
		}
	}
	return env
}
