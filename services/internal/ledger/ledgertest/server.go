package ledgertest

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Variable names a Postgres server that is there already, by the URL of a role that may make databases and roles. It must ask
// members of the role guarded for their passwords.
const Variable = "ROLLCALL_TEST_POSTGRES"

var errNoServer = errors.New("these tests need a Postgres server: install one (Debian: apt-get install postgresql), or set " +
	Variable + " to the URL of one on which databases may be made")

// server is a Postgres of this process, in a folder of its own, reached by a socket there: it needs no port.
type server struct {
	folder string
	life   io.WriteCloser // it ends when this is closed, and so with this process, however that ends
	cmd    *exec.Cmd
}

// script runs a server until its standard input ends. It ignores what ends others, so that it can tidy up.
const script = `
trap '' INT TERM HUP QUIT
folder=$1 data=$1/data bin=$2 settings=$3
"$bin/initdb" -D "$data" -U rollcall -A trust -E UTF8 --no-locale --no-sync 3>&- &&
  mv "$data/pg_hba.conf" "$data/made.conf" &&
  { echo 'local all +guarded scram-sha-256'; echo 'host all +guarded 127.0.0.1/32 scram-sha-256'; cat "$data/made.conf"; } >"$data/pg_hba.conf" &&
  "$bin/pg_ctl" -D "$data" -o "$settings" -w -t 60 start 3>&- || exit 1
echo ready >&3
read -r _
cd /
"$bin/pg_ctl" -D "$data" -m immediate -w stop
rm -rf "$folder"
`

// start starts a server with settings of the form name=value.
func start(parent string, settings ...string) (s *server, err error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s = &server{}
	if s.folder, err = os.MkdirTemp(parent, "rollcall-postgres-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(s.folder)
		}
	}()
	options := []string{"-c listen_addresses='' -c max_connections=1000 -c unix_socket_directories=" + s.folder}
	for _, setting := range settings {
		options = append(options, "-c "+setting)
	}
	s.cmd = exec.Command("/bin/sh", "-c", script, "rollcall-postgres", s.folder, bin, strings.Join(options, " "))
	s.cmd.Dir, s.cmd.Env = s.folder, []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	if err := apart(s.cmd, s.folder); err != nil {
		return nil, err
	}
	return s, s.run()
}

// run starts the script and waits until it says that the server is there.
func (s *server) run() error {
	log, err := os.Create(filepath.Join(s.folder, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	says, ready, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = says.Close() }()
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.ExtraFiles = log, log, []*os.File{ready}
	s.life, err = s.cmd.StdinPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	_ = ready.Close()
	if err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	if line, _ := bufio.NewReader(says).ReadString('\n'); line != "ready\n" {
		_ = s.life.Close()
		_ = s.cmd.Wait()
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("Postgres does not start: %s", said)
	}
	return nil
}

// stop ends the server at once, as a loss of power does, and waits until it is gone.
func (s *server) stop() {
	_ = s.life.Close()
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.folder)
}

// url is the address of one of its databases.
func (s *server) url(database string) string {
	return "postgres://rollcall@/" + database + "?host=" + url.QueryEscape(s.folder)
}

// binaries finds the folder of Postgres' programs: distributions leave them out of PATH.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	var found []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb"} {
		paths, _ := filepath.Glob(pattern)
		found = append(found, paths...)
	}
	if len(found) == 0 {
		return "", errNoServer
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })), nil
}

// version is the number in the path of a program.
func version(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(digits[0])
	return n
}
