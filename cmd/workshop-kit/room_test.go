package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// room asks for the test that builds the kits of all systems and works with one of them: some minutes, most of
// it compiling everything from nothing.
var room = flag.Bool("kit", false, "build the kits, and use one without a network: go test ./cmd/workshop-kit -args -kit")

// Ensure that the kits of all systems can be built, that the same commit makes the same archive, and that the
// one of this system works in an empty home, in a folder with blanks in its name, without a network.
func TestKitInARoom(t *testing.T) {
	if !*room {
		t.Skip("builds the kits and compiles from nothing: make test-kit")
	}
	k, err := newKit(t.Context(), filepath.Join("..", ".."), t.Output())
	require.NoError(t, err)
	defer k.close()
	out := t.TempDir()
	ours := ""
	for _, system := range systems {
		path, size, err := k.build(t.Context(), system, out)
		require.NoError(t, err, system)
		t.Logf("%5.1f MB  %s", float64(size)/1e6, filepath.Base(path))
		requireWhole(t, k, open(t, path))
		if system == runtime.GOOS+"/"+runtime.GOARCH {
			ours = path
		}
	}
	if ours == "" || runtime.GOOS == "windows" {
		t.Skipf("no kit of %s/%s can be tried here", runtime.GOOS, runtime.GOARCH)
	}
	again, _, err := k.build(t.Context(), runtime.GOOS+"/"+runtime.GOARCH, t.TempDir())
	require.NoError(t, err)
	require.Equal(t, sum(t, ours), sum(t, again), "the same commit makes the same archive")
	sitDown(t, ours).work(t, k)
}

func sum(t *testing.T, path string) [sha256.Size]byte {
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return sha256.Sum256(raw)
}

// requireWhole demands that a kit has program, source and modules, and nothing that git does not know.
func requireWhole(t *testing.T, k *kit, all []unpacked) {
	t.Helper()
	byName := map[string]unpacked{}
	for _, f := range all {
		byName[strings.TrimPrefix(f.name, top+"/")] = f
	}
	require.Len(t, byName, len(all))
	for _, f := range k.source {
		require.Contains(t, byName, f.name)
	}
	written := len(all) - len(k.source) - len(k.modules)
	require.Equal(t, 4, written, "the program, START.txt, GO.txt and kit.sh or kit.cmd")
	program := byName["bin/lambdakappa"]
	if program.name == "" {
		program = byName["bin/lambdakappa.exe"]
	}
	require.EqualValues(t, 0o755, program.mode)
	require.Greater(t, len(program.content), 1<<20)
	require.NotContains(t, program.content, k.temp, "where it was built")
	require.Contains(t, byName, "kit/GO.txt")
	require.Contains(t, byName, "START.txt")
}

// A desk is where somebody sits down with a kit: a home of their own, and nothing else.
type desk struct {
	home, folder string
	cut          []string // runs a command without a network
}

// sitDown unpacks a kit in an empty home, with the program that every Unix has.
func sitDown(t *testing.T, kit string) *desk {
	home := filepath.Join(t.TempDir(), "home of a learner")
	place := filepath.Join(home, "a room with 25 laptops")
	require.NoError(t, os.MkdirAll(place, 0o755))
	t.Cleanup(func() { // go makes the folders of modules read-only
		_ = filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				return os.Chmod(path, 0o755)
			}
			return nil
		})
	})
	out, err := exec.CommandContext(t.Context(), "tar", "xzf", kit, "-C", place).CombinedOutput()
	require.NoError(t, err, "%s", out)
	d := &desk{home: home, folder: filepath.Join(place, top)}
	probe := exec.CommandContext(t.Context(), "unshare", "-rn", "ip", "link", "set", "lo", "up")
	if probe.Run() == nil {
		d.cut = []string{"unshare", "-rn", "sh", "-c", `ip link set lo up && exec "$@"`, "sh"}
		t.Log("the network is cut off by a network namespace that has nothing but loopback")
	} else {
		t.Log("no network namespace can be made here: proxies lead nowhere instead")
	}
	return d
}

// do runs a command line at the desk, in the folder of the kit, after kit.sh.
func (d *desk) do(t *testing.T, line string) (stdout, stderr string, err error) {
	t.Helper()
	began := time.Now()
	goes, err := exec.LookPath("go")
	require.NoError(t, err)
	args := append(append([]string{}, d.cut...), "sh", "-c", ". ./kit.sh && "+line)
	c := exec.CommandContext(t.Context(), args[0], args[1:]...)
	c.Dir = d.folder
	c.Env = []string{
		"HOME=" + d.home, "TMPDIR=" + t.TempDir(), "PATH=" + filepath.Dir(goes) + ":/usr/bin:/bin:/usr/sbin:/sbin",
		"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9",
	}
	var out, errors bytes.Buffer
	c.Stdout, c.Stderr = &out, &errors
	err = c.Run()
	t.Logf("%s: %.0f s", line, time.Since(began).Seconds())
	return out.String(), errors.String(), err
}

// must is do of what has to work.
func (d *desk) must(t *testing.T, line string) string {
	t.Helper()
	stdout, stderr, err := d.do(t, line)
	require.NoError(t, err, "%s\n%s%s", line, stdout, stderr)
	return stdout
}

// work does what a learner does, in that order.
func (d *desk) work(t *testing.T, k *kit) {
	if d.cut != nil {
		links := d.must(t, "cat /proc/net/dev")
		require.Equal(t, 1, strings.Count(links, ":"), "nothing but loopback: %s", links)
	}
	require.Contains(t, d.must(t, "bin/lambdakappa --version"), strings.TrimSuffix(k.revision, "+dirty"))
	d.seeDoctor(t)
	d.readStart(t)
	d.must(t, "go build -o bin/ ./cmd/lambdakappa")
	d.must(t, "go test ./lambda -run '^TestMerge'")
	d.must(t, "make build")
	d.doExercises(t)
}

// seeDoctor demands an answer to every question. How fast the machine is, and what else runs on it, is no
// matter of the kit.
func (d *desk) seeDoctor(t *testing.T) {
	stdout, stderr, err := d.do(t, "bin/lambdakappa doctor --json")
	var report struct {
		Checks []struct{ Name, Verdict, Says, Remedy string }
		Rate   int `json:"sustained_events_per_second"`
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report), "%v %s%s", err, stdout, stderr)
	verdicts := map[string]string{}
	for _, c := range report.Checks {
		verdicts[c.Name] = c.Verdict
		t.Logf("doctor: %-8s %-7s %s: %s", c.Verdict, c.Name, c.Says, c.Remedy)
	}
	require.Len(t, verdicts, 7)
	require.Equal(t, "ok", verdicts["Go"])
	require.NotEqual(t, "failed", verdicts["ports"])
	for _, c := range report.Checks {
		if c.Name == "rate" {
			require.Regexp(t, "^(both architectures at once keep up with|answers are not in time at) ", c.Says)
		}
	}
	kept := filepath.Join(d.home, ".cache", "lambdakappa", "sustained.json")
	if runtime.GOOS == "linux" {
		require.FileExists(t, kept)
	}
}

// readStart demands that every command of the page to begin with is one.
func (d *desk) readStart(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(d.folder, "START.txt"))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^ {7}bin/lambdakappa (.+)$`).FindAllStringSubmatch(string(raw), -1)
	require.NotEmpty(t, found)
	for _, match := range found {
		d.must(t, "bin/lambdakappa "+match[1]+" --help")
	}
}

// A step is a command of the workshop and how it ends.
type step struct {
	line string
	red  bool // exit code 1: what was asked for does not hold yet
}

// doExercises does exercise 1, and a code task from red to green and back.
func (d *desk) doExercises(t *testing.T) {
	list := d.must(t, "bin/lambdakappa workshop list")
	task := regexp.MustCompile(`(?m)^ *(\d+) .*code task`).FindStringSubmatch(list)
	require.NotNil(t, task, "no code task in\n%s", list)
	for _, s := range []step{
		{line: "workshop start 1"},
		{line: "workshop check 1 --rate 500"},
		{line: "workshop start " + task[1]},
		{line: "workshop check " + task[1], red: true},
		{line: "workshop solve " + task[1]},
		{line: "workshop check " + task[1]},
		{line: "workshop reset"},
	} {
		stdout, stderr, err := d.do(t, "bin/lambdakappa "+s.line)
		if s.red {
			var ended *exec.ExitError
			require.ErrorAs(t, err, &ended, s.line)
			require.Equal(t, 1, ended.ExitCode(), "%s\n%s%s", s.line, stdout, stderr)
			continue
		}
		require.NoError(t, err, "%s\n%s%s", s.line, stdout, stderr)
	}
}
