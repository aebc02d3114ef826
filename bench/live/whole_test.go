package live

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"lambdakappa/internal/webtest"
)

// startWhole shows the page with everything that it shows, as the program does, until the test ends.
func startWhole(t *testing.T, change func(*Config)) (*server, string) {
	t.Helper()
	webtest.Wanted(t)
	binary := filepath.Join(t.TempDir(), "lambdakappa")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", binary, "lambdakappa/cmd/lambdakappa").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cfg := DefaultConfig()
	cfg.Binary, cfg.Dir, cfg.Say = binary, filepath.Join(t.TempDir(), "data"), t.Logf
	change(&cfg)
	require.NoError(t, cfg.Validate())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{cfg: cfg.complete(), hub: NewHub(), started: time.Now()}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.run(ctx, listener, func(address string, _ []string) { ready <- address }) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	select {
	case address := <-ready:
		return s, address
	case err := <-ended:
		ended <- err
		require.NoError(t, err)
		return nil, ""
	}
}

// patience is how long what a button begins may take: a session timeout, a batch run, and a machine that is busy.
const patience = 90 * time.Second

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, 50*time.Millisecond, what)
}

func click(p *webtest.Page, label string) {
	p.Eventually(fmt.Sprintf(`Array.from(document.querySelectorAll("button")).some((b) => b.textContent.trim().startsWith(%q) && !b.disabled)`, label))
	p.Run(chromedp.Evaluate(fmt.Sprintf(
		`Array.from(document.querySelectorAll("button")).find((b) => b.textContent.trim().startsWith(%q)).click()`, label), nil))
}

// Ensure that every kind of button does what it says, pressed in a browser and seen by the API of who answers: what comes too late
// is lacked until a batch repairs it on one side alone, what was killed is away until it is started again, and whatever happens, no
// reading is lost or counts twice.
func TestWebButtonsReallyDoIt(t *testing.T) {
	s, address := startWhole(t, func(c *Config) { c.Rate, c.Interval = 200, 3*time.Second })
	p := webtest.Open(t, address, webtest.View{})
	lambda, kappa := s.lambda.now, s.kappa.now
	settled := func(side func() Side) func() bool {
		return func() bool {
			x := side()
			return x.Answers && x.Lag < 200 && x.Accuracy.Windows > 0 && x.Accuracy.Missing == 0
		}
	}
	eventually(t, "both sides answer, and every closed window is exact", func() bool {
		return settled(lambda)() && settled(kappa)() && lambda().Accuracy.Exact == lambda().Accuracy.Windows
	})

	part := func(name string) PartState { return s.accountant.partsNow(s.lambda, s.kappa)[name] }
	for _, name := range []string{generatorPart, ingestPart, speedPart, lambdaServe, processPart, kappaServe} {
		eventually(t, name+": events pass through it", func() bool { return part(name).Rate > s.cfg.Rate/2 })
	}
	eventually(t, "a batch run is seen, and what passes through it", func() bool {
		return part(batchPart).State == Busy && part(batchPart).Rate > 0
	})

	click(p, "Late burst")
	eventually(t, "Kappa drops what came too late, and lacks it", func() bool {
		return kappa().DroppedLate > 0 && kappa().Accuracy.LacksLate > 0
	})
	eventually(t, "the next batch run counts it in on Lambda", func() bool {
		return lambda().Accuracy.LacksLate == 0 && lambda().Accuracy.Exact == lambda().Accuracy.Windows && settled(lambda)()
	})
	require.Positive(t, kappa().Accuracy.LacksLate, "nobody repairs it on Kappa")

	click(p, "Kill process")
	eventually(t, "it is gone", func() bool { return s.stage.state(processPart) == Down })
	eventually(t, "Kappa's answers grow old, and Lambda's do not", func() bool {
		return kappa().FreshnessMS != nil && *kappa().FreshnessMS > 3000 && *lambda().FreshnessMS < 1500
	})
	click(p, "Restart process")
	eventually(t, "it is back, and nothing is missing", settled(kappa))

	click(p, "Kill speed")
	eventually(t, "Lambda's answers are as old as the batch view", func() bool {
		return s.stage.state(speedPart) == Down && *lambda().FreshnessMS > 1000
	})
	click(p, "Restart speed")
	eventually(t, "Lambda is fresh again", settled(lambda))

	click(p, "Poison")
	click(p, "Duplicates")
	eventually(t, "dead letters and duplicates are counted by both", func() bool {
		return lambda().DeadLetters > 0 && kappa().DeadLetters > 0 && lambda().Duplicates > 0 && kappa().Duplicates > 0
	})
	click(p, "Spike")
	eventually(t, "many times as many events come", func() bool { return s.rateNow() > 5*s.cfg.Rate })
	eventually(t, "and it is over", func() bool { return s.rateNow() < 2*s.cfg.Rate })

	click(p, "Broker down")
	eventually(t, "the broker is gone", func() bool { return s.stage.state(brokerPart) == Down })
	eventually(t, "the broker is back, and nothing is missing", func() bool {
		return s.stage.state(brokerPart) == Up && settled(lambda)() && settled(kappa)() && s.referee.lag.Load() == 0
	})

	deploys := func(side string) string {
		return fmt.Sprintf(`Array.from(document.querySelectorAll("button")).filter((b) => b.textContent.trim() === "v2" && !b.disabled).%s.click()`, side)
	}
	p.Run(chromedp.Evaluate(deploys("at(-1)"), nil)) // the last one with that version is Kappa's
	eventually(t, "it is seen how far the replay is behind", func() bool {
		lag, _ := s.accountant.flows.replaying()
		return lag >= 0
	})
	eventually(t, "Kappa answers by v2 alone", func() bool { return kappa().Version == "v2" })
	require.Equal(t, "v1", lambda().Version)
	p.Run(chromedp.Evaluate(deploys("at(0)"), nil)) // the first is for both layers of Lambda
	eventually(t, "Lambda answers by v2 alone", func() bool { return lambda().Version == "v2" })

	eventually(t, "the deployment is over, and the batch layer is free for another button", func() bool {
		if !s.buttons.hold(batchPart) {
			return false
		}
		s.buttons.release(batchPart)
		return true
	})
	click(p, "5s")
	eventually(t, "the batch layer runs every 5 s", func() bool { return s.stage.batchInterval() == 5*time.Second })
	eventually(t, "everything is right in the end", func() bool {
		return settled(lambda)() && settled(kappa)() && lambda().Mixed == 0 && kappa().Mixed == 0 &&
			lambda().Accuracy.Other == 0 && kappa().Accuracy.Other == 0
	})
	require.Zero(t, lambda().Accuracy.Double)
	require.Zero(t, kappa().Accuracy.Double)
	p.RequireQuiet(address)
}
