package bench

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"lambdakappa/bench/report"
	"lambdakappa/bench/result"
)

// A progress says on stderr what is going on: a bar with the time left on a terminal, plain lines
// elsewhere, nothing when asked to be quiet.
type progress struct {
	out io.Writer // nil when quiet

	mu   sync.Mutex
	bar  *progressbar.ProgressBar // nil without a terminal
	done chan struct{}

	before  float64 // expected seconds of the scenarios that are over
	current float64 // expected seconds of the scenario that runs
	began   time.Time
}

func newProgress(o Options, asked []*Scenario) *progress {
	p := &progress{done: make(chan struct{})}
	if o.Quiet {
		return p
	}
	p.out = o.Stderr
	if f, ok := o.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(int64(expectedSeconds(o, asked)*10),
			progressbar.OptionSetWriter(f), progressbar.OptionSetPredictTime(true),
			progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetElapsedTime(true),
		)
		go p.tick()
	}
	return p
}

// tick moves the bar along with the clock: what a scenario takes is known beforehand, since most
// of it is a schedule.
func (p *progress) tick() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.mu.Lock()
			gone := min(time.Since(p.began).Seconds(), p.current)
			_ = p.bar.Set64(int64((p.before + gone) * 10))
			p.mu.Unlock()
		case <-p.done:
			return
		}
	}
}

// scenario says that a scenario begins.
func (p *progress) scenario(s *Scenario, o Options) {
	p.mu.Lock()
	p.before += p.current
	p.current, p.began = s.procedure.seconds(o, s), time.Now()
	p.mu.Unlock()
	if p.out != nil && p.bar == nil {
		fmt.Fprintf(p.out, "%s: %s\n", s.Name, s.Sentence)
	}
}

// run says that a run of some arms begins, and at which point of a sweep.
func (p *progress) run(r result.Run, arms []string) {
	text := r.Scenario + ", " + strings.Join(arms, " and ")
	if r.Phase != "" {
		text += " " + r.Phase
	}
	if at := r.Parameter; at != nil {
		text += fmt.Sprintf(", %s %v %s", at.Name, at.Value, at.Unit)
	}
	p.say(fmt.Sprintf("%s, run %d", text, r.Repetition))
}

// say says what is being done now.
func (p *progress) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.out == nil:
	case p.bar != nil:
		p.bar.Describe(text)
	default:
		fmt.Fprintf(p.out, "  %s\n", text)
	}
}

// close takes the bar off the terminal.
func (p *progress) close() {
	if p.bar == nil {
		return
	}
	close(p.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.bar.Finish()
}

// expectedSeconds is how long the whole invocation should take.
func expectedSeconds(o Options, asked []*Scenario) float64 {
	var sum float64
	for _, s := range asked {
		if s.procedure != nil {
			sum += s.procedure.seconds(o, s)
		}
	}
	return sum
}

// printSummary prints the summary and where the report is.
func (d *driver) printSummary() {
	if d.opt.Stdout == nil {
		return
	}
	if d.opt.Quiet {
		fmt.Fprintln(d.opt.Stdout, d.folder.reportPath())
		return
	}
	report.Terminal(d.opt.Stdout, d.summary)
	fmt.Fprintf(d.opt.Stdout, "report: %s\n", d.folder.reportPath())
}
