// Package scenarios holds the questions of the benchmark as data: one YAML file each, with the claim
// that it puts to the test, what is run, and the rule that turns figures into a verdict.
//
// A file is checked as a whole before anything starts: unknown keys, impossible sizes and rules that
// name what nobody measures are errors with file, line and field. Users write their own files and
// run them with `lambdakappa bench --scenario path.yaml`; docs/adding-a-scenario.md shows how.
//
// Which procedures there are (how a scenario is run) is known to package bench alone; their own
// settings stand under "with" and are decoded by it.
package scenarios
