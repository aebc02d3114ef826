package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
	"lambdakappa/view"
)

func sections(s *result.Summary) []section {
	var all []section
	for _, name := range scenarioNames(s) {
		if gs := groups(s, name); len(gs) > 0 {
			sec := scenarioSection(scenarioOf(s, name), gs)
			sec.Again = again(s, name)
			all = append(all, sec)
		}
	}
	if len(s.CodeSize) > 0 {
		all = append(all, codeSection(s.CodeSize, scenarioOf(s, "code"), again(s, "code")))
	}
	return append(all, limitsSection(s), budgetSection(s))
}

// again is the command that runs one scenario of s with the same seed and profile.
func again(s *result.Summary, scenario string) string {
	return fmt.Sprintf("bin/lambdakappa bench --scenario %s --profile %s --seed %d", scenario, s.Profile, s.Seed)
}

func scenarioSection(q result.Scenario, gs []*group) section {
	name := q.Name
	sec := section{ID: slug(name), Title: name, Question: sentence(q.Question), About: aboutOf(q) + sentOf(gs), Parts: q.Parts, Words: wordsOf(q)}
	for _, p := range append([]*plot{latencyPlot(name, gs)}, append(timePlots(name, gs), costPlot(name, gs))...) {
		if len(p.Lines) > 0 || len(p.Bars) > 0 {
			sec.Plots = append(sec.Plots, p)
		}
	}
	sec.Plots = append(sec.Plots, crossoverPlots(q)...)
	sec.Answers = answersOf(gs)
	if t := figureTable(q.Figures, gs); len(t.Rows) > 0 {
		sec.Tables = append(sec.Tables, t)
	}
	for _, t := range []table{rulingTable(q), publishedTable(q)} {
		if len(t.Rows) > 0 {
			sec.Tables = append(sec.Tables, t)
		}
	}
	if name == retention {
		sec.Tables = append(sec.Tables, keptTable(gs))
	}
	sec.Notes = runNotes(gs)
	return sec
}

func answersOf(gs []*group) answers {
	n, all := map[verdict]int{}, 0
	for _, g := range gs {
		for _, r := range g.Runs {
			n[verdictOf(r)]++
			all++
		}
	}
	said := []string{fmt.Sprintf("%d right", n[runRight])}
	for _, v := range []struct {
		verdict verdict
		word    string
	}{{runWrong, "WRONG"}, {runFailed, "FAILED"}, {runMistaken, "wrong on purpose, and found to be"}, {runVoid, "void"}} {
		if n[v.verdict] > 0 {
			said = append(said, fmt.Sprintf("%d %s", n[v.verdict], v.word))
		}
	}
	return answers{
		Said: "Are the answers right? " + runs(all) + ": " + strings.Join(said, ", "),
		Open: n[runRight]+n[runMistaken] < all, Runs: runTable(gs),
	}
}

// runTable has one row per run: is it right, and what was compared.
func runTable(gs []*group) table {
	t := table{
		Head: []string{"run", "events", "answers", "windows exact", "alerts exact", "trips exact", "checks passed"},
	}
	for _, g := range gs {
		for _, r := range g.Runs {
			t.Rows = append(t.Rows, []cell{
				text(runName(g, r)), text(figure(float64(r.Events))), runVerdict(r),
				diffCell(r.Correctness.Windows), diffCell(r.Correctness.Alerts), diffCell(r.Correctness.Trips),
				checksCell(r.Checks),
			})
		}
	}
	return t
}

func runName(g *group, r *result.Run) string {
	return fmt.Sprintf("%s, no. %d, seed %d", g.Label, r.Repetition, r.Seed)
}

func runVerdict(r *result.Run) cell {
	switch verdictOf(r) {
	case runWrong:
		return cell{Text: "WRONG", Tone: wrong}
	case runFailed:
		return cell{Text: "FAILED", Tone: wrong}
	case runVoid:
		return cell{Text: whyNot(r), Tone: void}
	case runMistaken:
		return cell{Text: "wrong on purpose: " + r.Mistake, Tone: void}
	default:
		return cell{Text: "right", Tone: right}
	}
}

func diffCell(d view.Diff) cell {
	if d.Expected == 0 && d.OK() {
		return cell{Text: "not compared", Tone: absent}
	}
	c := cell{Text: figure(float64(d.Exact)) + " of " + figure(float64(d.Expected))}
	if !d.OK() {
		c.Tone = wrong
	}
	return c
}

func checksCell(checks []result.Check) cell {
	if len(checks) == 0 {
		return cell{Text: "none", Tone: absent}
	}
	passed := 0
	for _, c := range checks {
		if c.OK {
			passed++
		}
	}
	c := cell{Text: fmt.Sprintf("%d of %d", passed, len(checks))}
	if passed < len(checks) {
		c.Tone = wrong
	}
	return c
}

// figureTable has one row per metric and one column per group: medians of the runs.
func figureTable(expected []string, gs []*group) table {
	t := table{Caption: "Figures: median of the runs (least to greatest)", Head: []string{"figure"}}
	for _, g := range gs {
		t.Head = append(t.Head, g.Label)
	}
	for _, common := range ledger.Metrics(allRuns(gs)) {
		m := metric{common}
		measured := slices.ContainsFunc(gs, func(g *group) bool { return len(m.values(g)) > 0 })
		if !measured && !slices.Contains(expected, m.Name) {
			continue
		}
		row := []cell{text(m.Name)}
		for _, g := range gs {
			row = append(row, m.cell(g))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// runNotes are the errors, failed checks, first wrong rows and remarks of the runs, by name.
func runNotes(gs []*group) []string {
	var notes []string
	for _, g := range gs {
		for _, r := range g.Runs {
			add := func(format string, args ...any) {
				notes = append(notes, runName(g, r)+": "+fmt.Sprintf(format, args...))
			}
			if r.Error != "" {
				add("%s", r.Error)
			}
			for _, c := range r.Checks {
				switch {
				case c.OnPurpose:
					add("check %q failed, as it had to: %s", c.Name, c.Detail)
				case !c.OK:
					add("check %q failed: %s", c.Name, c.Detail)
				}
			}
			for _, example := range append(slices.Clone(r.Correctness.Windows.Examples), r.Correctness.Alerts.Examples...) {
				add("%s", example)
			}
			for _, n := range r.Notes {
				add("%s", n)
			}
		}
	}
	return notes
}

// codeID is the anchor of the section about code.
const codeID = "code-size"

func codeSection(sizes map[string]result.CodeSize, q result.Scenario, again string) section {
	return section{
		ID: codeID, Title: "code", Question: sentence(q.Question), About: aboutOf(q), Parts: q.Parts, Words: wordsOf(q), Again: again,
		Plots:  []*plot{codePlot(sizes)},
		Tables: tablesOf(codeTable(sizes), changeTable(sizes), roleTable(sizes)),
		Notes: []string{
			"Counted from the Go syntax tree; comments, blank lines and tests are apart.",
			"Shared code (events, windows, log client, HTTP) is used by both sides and belongs to neither.",
			"lambda-shared is Lambda as it would be if its batch layer had no logic of its own and drove the speed " +
				"layer's over history. What only one of the two needs is marked in the source; switches that make " +
				"a side wrong on purpose are in no column.",
			"kappa answers and replays its log. kappa-archived is Kappa with an archive behind it: the sink, replay " +
				"from the archive, and republishing it into the log. Lambda's master dataset is a part of Lambda.",
		},
	}
}

// tablesOf are those of the tables that say anything.
func tablesOf(tables ...table) (present []table) {
	for _, t := range tables {
		if len(t.Rows) > 0 {
			present = append(present, t)
		}
	}
	return present
}

// changeNames are the changes whose cost is counted, as a reader knows them.
var changeNames = []struct{ name, says string }{
	{"bugfix", "bug fix: the detector of v2"},
	{"metric", "new metric: v3, out of a field that events had"},
	{"field", "new field in the event: v4, and a metric from it"},
	{"view", "new view: trips"},
}

// changeTable says what each change of the logic has added to whom.
func changeTable(sizes map[string]result.CodeSize) table {
	t := table{
		Caption: "What a change costs, counted where it is marked in the source: tests take the marked places " +
			"out again, and have the version before (of the view: both sides compile without it). A duplicated edit is made in another file of the same column as well",
		Head: []string{"change", "count"},
	}
	var present []result.CodeSize
	for _, side := range sides {
		if size, ok := sizes[side]; ok {
			t.Head = append(t.Head, side)
			present = append(present, size)
		}
	}
	for _, change := range changeNames {
		isMarked := func(c result.CodeSize) bool { return c.Changes[change.name].Places > 0 }
		if !slices.ContainsFunc(present, isMarked) {
			continue
		}
		for _, count := range []struct {
			name string
			of   func(result.ChangeCost) int
		}{
			{"files", func(c result.ChangeCost) int { return c.Files }},
			{"places", func(c result.ChangeCost) int { return c.Places }},
			{"statements", func(c result.ChangeCost) int { return c.Statements }},
			{"lines", func(c result.ChangeCost) int { return c.Lines }},
			{"duplicated edits", func(c result.ChangeCost) int { return c.Duplicated }},
		} {
			row := []cell{text(change.says), text(count.name)}
			for _, size := range present {
				row = append(row, text(figure(float64(count.of(size.Changes[change.name])))))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

func codeTable(sizes map[string]result.CodeSize) table {
	t := table{Caption: "Code size and what operators feel", Head: []string{"count"}}
	var present []result.CodeSize
	for _, side := range sides {
		if size, ok := sizes[side]; ok {
			t.Head = append(t.Head, side)
			present = append(present, size)
		}
	}
	add := func(name string, get func(result.CodeSize) int) {
		row := []cell{text(name)}
		for _, size := range present {
			row = append(row, text(figure(float64(get(size)))))
		}
		t.Rows = append(t.Rows, row)
	}
	add("files", func(c result.CodeSize) int { return c.Files })
	add("lines with code", func(c result.CodeSize) int { return c.Lines })
	add("statements", func(c result.CodeSize) int { return c.Statements })
	add("of them logic (fold and detectors), all copies",
		func(c result.CodeSize) int { return c.LogicStatements })
	add("functions", func(c result.CodeSize) int { return c.Functions })
	add("cognitive complexity, sum", func(c result.CodeSize) int { return c.CognitiveComplexity })
	add("cognitive complexity, median function", func(c result.CodeSize) int { return atShare(c.ComplexityPerFunc, 0.5) })
	add("cognitive complexity, 90 % of functions below or at", func(c result.CodeSize) int { return atShare(c.ComplexityPerFunc, 0.9) })
	add("cognitive complexity, worst function", func(c result.CodeSize) int { return atShare(c.ComplexityPerFunc, 1) })
	add("lines of tests", func(c result.CodeSize) int { return c.TestLines })
	for _, name := range operatorNames(present) {
		add(name, func(c result.CodeSize) int { return c.Operators[name] })
	}
	return t
}

// atShare returns the value below or at which that share of a sorted list lies.
func atShare(sorted []int, share float64) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func operatorNames(sizes []result.CodeSize) []string {
	names := map[string]bool{}
	for _, size := range sizes {
		for name := range size.Operators {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// limitsSection is what the machine can do at most, beside what the sides did.
func limitsSection(s *result.Summary) section {
	sec := section{
		ID: "limits", Title: "raw limits and the plain program",
		About: "What this machine can do when nothing is folded, and what one single-threaded program does " +
			"that needs no architecture at all. Both sides must justify themselves against the latter.",
	}
	t := table{Caption: "Raw limits of the same run", Head: []string{"what", "events or rows per second"}}
	limits := s.RawLimits
	if limits == nil {
		limits = &result.RawLimits{}
	}
	for _, row := range []struct {
		name  string
		value float64
	}{
		{"fetch and decode the log, no fold", limits.FetchDecodeEventsPerSecond},
		{"read the needed columns of the master dataset, no fold", limits.ColumnReadRowsPerSecond},
		{"the oracle: one thread, events in memory (the COST line)", limits.OracleEventsPerSecond},
	} {
		t.Rows = append(t.Rows, []cell{text(row.name), limitCell(row.value)})
	}
	sec.Tables = []table{t}
	return sec
}

// limitCell is empty-handed at 0: no machine reads nothing a second.
func limitCell(x float64) cell {
	if x <= 0 {
		return optional(nil, "")
	}
	return text(figure(x))
}

// aboutOf introduces a scenario: what is run, and what is claimed about it.
func aboutOf(q result.Scenario) string {
	if q.Claim == "" {
		return sentence(q.Sentence)
	}
	return sentence(q.Sentence) + " Claim: " + q.Claim + sourcesOf(&q) + "."
}

// sentence makes one of words that a file has without its capital and its full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if last := s[len(s)-1]; last == '.' || last == '?' {
		return s
	}
	return s + "."
}

// sentOf says what the scenario's own runs were sent; the points of a sweep say what differs.
func sentOf(gs []*group) string {
	for _, g := range gs {
		r := g.Runs[0]
		w := r.Workload
		if w == nil || r.Parameter != nil || w.Rate == 0 {
			continue
		}
		said := fmt.Sprintf(" Sent: %s cars, %s events/s, %s s of event time", figure(float64(w.Cars)), figure(w.Rate),
			figure(w.DurationSeconds))
		if w.BatchIntervalSeconds > 0 {
			said += fmt.Sprintf(", a batch run every %s s", figure(w.BatchIntervalSeconds))
		}
		return said + "."
	}
	return ""
}

// rulingTable shows every rule of a scenario and what it has decided.
func rulingTable(q result.Scenario) table {
	t := table{Caption: "Rules, as the scenario's file states them", Head: []string{"rule", "measured", "runs", "verdict"}}
	add := func(about string, rulings []result.Ruling) {
		for i := range rulings {
			r := &rulings[i]
			said := numbers(r)
			if said == "" {
				said = missing
			}
			t.Rows = append(t.Rows, []cell{
				text(about + r.Rule), text(said), text(fmt.Sprint(r.Runs)), text(r.Verdict),
			})
		}
	}
	add("", q.Rulings)
	add("says otherwise: ", q.Objections)
	return t
}

// publishedTable prints figures of others. They are other engines, other hardware and other
// questions: context, never a ranking.
func publishedTable(q result.Scenario) table {
	t := table{
		Caption: "What others report: other engines, other hardware, other questions. Context, no ranking",
		Head:    []string{"source", "what they report"},
	}
	for _, p := range q.Published {
		t.Rows = append(t.Rows, []cell{text(p.Source), text(p.Says)})
	}
	return t
}

func allRuns(gs []*group) []*result.Run {
	var all []*result.Run
	for _, g := range gs {
		all = append(all, g.Runs...)
	}
	return all
}
