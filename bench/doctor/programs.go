package doctor

import (
	"context"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"strings"
	"time"
)

// neededGo is the version that go.mod names; a test compares.
const neededGo = "go1.26.0"

// startLimit is how long another program may take to say its version. A virus scanner that looks at it for
// the first time takes some seconds.
const startLimit = 5 * time.Second

// checkGo never fails: without Go only the code tasks are missing.
func checkGo(ctx context.Context, _ Options) Check {
	return judgeGo(goVersion(ctx))
}

// goVersion asks the go command, without letting it fetch another one.
func goVersion(ctx context.Context) (string, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	c := exec.CommandContext(ctx, path, "env", "GOVERSION")
	c.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	c.Dir = os.TempDir() // no go.mod there asks for anything
	out, err := c.Output()
	return strings.TrimSpace(string(out)), err
}

func judgeGo(found string, err error) Check {
	c := Check{Name: "Go", Verdict: Warning}
	install := fmt.Sprintf("needed for code tasks and for building alone; install %s or later from go.dev/dl", neededGo)
	switch {
	case err != nil:
		c.Says, c.Remedy = "was not found", install
	case !version.IsValid(found):
		c.Says, c.Remedy = fmt.Sprintf("calls itself %q, which is no release", found), install
	case version.Compare(found, neededGo) < 0:
		c.Says, c.Remedy = found+" is too old", install
	default:
		c.Verdict, c.Says = OK, fmt.Sprintf("%s, and %s or later is needed", found, neededGo)
	}
	return c
}

// checkTools looks for what is convenient and not needed. It starts nothing: on a Mac without developer
// tools a window would open.
func checkTools(context.Context, Options) Check {
	var found, missing []string
	for _, tool := range []string{"git", "make"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool)
		} else {
			found = append(found, tool)
		}
	}
	c := Check{Name: "tools", Verdict: OK, Says: strings.Join(found, " and ") + " found"}
	switch {
	case len(found) == 0:
		c.Says = "neither git nor make, which is no fault"
	case len(missing) > 0:
		c.Says += ", " + missing[0] + " not, which is no fault"
	}
	if len(missing) > 0 {
		c.Remedy = "type what the Makefile runs, as in 'go build -o bin/ ./cmd/lambdakappa'"
	}
	return c
}
