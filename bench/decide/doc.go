// Package decide computes what Lambda and Kappa would take for a reader's own numbers, from coefficients that a run of the
// benchmark has measured.
//
// A [Model] is data: inputs, coefficients, and for every quantity a sum of products of the two. The command line
// evaluates it in Go and the report's page in the reader's browser, so that there is one arithmetic. Every quantity
// carries the interval of its coefficients, and the model says where an answer lies beyond what was measured.
//
// What people cost is the reader's input and never a coefficient: nothing here has measured it.
package decide
