package compose

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const root = "../../.." // of the repository, from this package

// load reads docker-compose.yml, and files beside it, as `docker compose --profile …` would, with the given environment and
// no other.
func load(t *testing.T, profiles, environment []string, beside ...string) *types.Project {
	t.Helper()
	var files []string
	for _, name := range append([]string{"docker-compose.yml"}, beside...) {
		files = append(files, filepath.Join(root, name))
	}
	options, err := cli.NewProjectOptions(files, cli.WithWorkingDirectory(root), cli.WithProfiles(profiles), cli.WithEnv(environment))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatalf("%v: %v", files, err)
	}
	return project
}

// stage is this machine in place of the containers: a free loopback port for each port that a service listens at, and a
// folder for each volume.
type stage struct {
	volumes map[string]string         // by name, or by the folder of the repository that is mounted: the folder in its place
	ports   map[string]map[int]string // by service and its port: the loopback address in its place
}

func newStage(t *testing.T, project *types.Project) *stage {
	t.Helper()
	s := &stage{volumes: map[string]string{}, ports: map[string]map[int]string{}}
	base := t.TempDir()
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			if info, err := os.Stat(volume.Source); err == nil && !info.IsDir() {
				continue // a file of the repository is read where it is
			}
			s.volumes[volume.Source] = filepath.Join(base, filepath.Base(volume.Source))
			if err := os.MkdirAll(s.volumes[volume.Source], 0o700); err != nil {
				t.Fatal(err)
			}
		}
		s.ports[name] = map[int]string{}
		for _, port := range portsOf(service) {
			s.ports[name][port] = freeAddress(t)
		}
	}
	return s
}

var addressed = regexp.MustCompile(`(?:^|[^0-9.])(?:0\.0\.0\.0|127\.0\.0\.1):(\d+)`)

// portsOf are the ports that a service listens at: those that it publishes or exposes, and those that its own words name.
func portsOf(service types.ServiceConfig) []int {
	var ports []int
	for _, p := range service.Ports {
		ports = append(ports, int(p.Target))
	}
	for _, p := range service.Expose {
		if port, err := strconv.Atoi(p); err == nil {
			ports = append(ports, port)
		}
	}
	words := slices.Concat([]string(service.Command), []string(service.HealthCheck.Test))
	for _, v := range service.Environment {
		if v != nil {
			words = append(words, *v)
		}
	}
	for _, word := range words {
		for _, match := range addressed.FindAllStringSubmatch(word, -1) {
			if port, err := strconv.Atoi(match[1]); err == nil {
				ports = append(ports, port)
			}
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// here turns a word of a service's container into the one that means the same on this machine: paths below its volumes, its
// own addresses, and those of other services by their names.
func (s *stage) here(service types.ServiceConfig, word string) string {
	for other, ports := range s.ports {
		for port, address := range ports {
			names := []string{other}
			if other == service.Name {
				names = []string{"0.0.0.0", "127.0.0.1", other}
			}
			for _, name := range names {
				word = replaceWhole(word, fmt.Sprintf("%s:%d", name, port), address)
			}
		}
	}
	for _, volume := range service.Volumes {
		if path, rest, found := strings.Cut(word, volume.Target); found && path == "" && (rest == "" || rest[0] == '/') {
			return s.folder(volume) + rest
		}
	}
	return word
}

// folder is where a volume lies on this machine.
func (s *stage) folder(volume types.ServiceVolumeConfig) string {
	if folder := s.volumes[volume.Source]; folder != "" {
		return folder
	}
	return volume.Source
}

// environment is what the service's process sees: what the file names, and nothing of ours but the search path.
func (s *stage) environment(service types.ServiceConfig) []string {
	env := []string{"PATH=" + os.Getenv("PATH")}
	for key, value := range service.Environment {
		if value != nil {
			env = append(env, key+"="+s.here(service, *value))
		}
	}
	return env
}

func (s *stage) words(service types.ServiceConfig, words []string) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = s.here(service, word)
	}
	return out
}

// replaceWhole replaces address in word where it is not part of a longer name or number.
func replaceWhole(word, address, with string) string {
	pattern := regexp.MustCompile(`(^|[^A-Za-z0-9.-])` + regexp.QuoteMeta(address) + `($|[^0-9])`)
	return pattern.ReplaceAllString(word, "${1}"+with+"${2}")
}

// freeAddress is a loopback address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}
