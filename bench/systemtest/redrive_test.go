package systemtest

import (
	"errors"
	"fmt"
	"strings"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/redrive"
)

// redrive repairs the dead letters of a side and sends them again. It prints what became of them,
// and where they are on the log now. The oracle is told of them like of any event.
func (w *world) redrive(c command) (string, error) {
	if len(c.words) != 1 {
		return "", errors.New("redrive: want SIDE")
	}
	var texts []string
	if c.args["repair"] != "" {
		texts = strings.Split(c.args["repair"], ",")
	}
	repairs, err := redrive.Parse(texts)
	if err != nil {
		return "", err
	}
	done, err := redrive.Run(w.ctx, redrive.Config{
		Log: w.log, Letters: c.words[0] + ".dead-letters", Repairs: repairs, Rules: w.rules,
	})
	if err != nil {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "letters=%d redriven=%d already=%d", done.Letters, done.Redriven, done.Already)
	for _, reason := range event.Reasons {
		if n := done.Left[reason]; n > 0 {
			fmt.Fprintf(&out, " %s=%d", reason, n)
		}
	}
	out.WriteString("\n")
	err = w.learn(&out)
	return out.String(), err
}

// learn tells the oracle what somebody else has appended, and names the places.
func (w *world) learn(out *strings.Builder) error {
	all, err := readLog(w.ctx, w.log, eventlog.CarsTopic)
	if err != nil {
		return err
	}
	for partition := range w.ends {
		for {
			at := oracle.Position{Partition: partition, Offset: w.ends[partition]}
			r, there := all[at]
			if !there {
				break
			}
			w.sent[at] = r
			w.ends[partition]++
			if err := w.remember(at, r); err != nil {
				return err
			}
			fmt.Fprintf(out, "%s from %s\n", place(at), r.Header(redrive.Header))
		}
	}
	return nil
}
