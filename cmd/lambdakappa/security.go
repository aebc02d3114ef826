package main

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/magiconair/properties"
	"github.com/spf13/pflag"

	"lambdakappa/internal/eventlog"
)

// The environment of a secured cluster. Secrets have no flags: those stand in lists of processes.
const (
	propertiesEnv   = "LAMBDAKAPPA_CLIENT_PROPERTIES"
	userEnv         = "LAMBDAKAPPA_SASL_USER"
	passwordEnv     = "LAMBDAKAPPA_SASL_PASSWORD"
	registryInfoEnv = "LAMBDAKAPPA_REGISTRY_USER_INFO" // user:password
)

// securityFlags say how to be trusted by a cluster: by flags, or else the environment, or else a file of
// properties such as Kafka's own tools take.
type securityFlags struct {
	file  string
	flags eventlog.Security
}

func (f *securityFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.file, "client-properties", os.Getenv(propertiesEnv),
		"`file` with security.protocol, sasl.* and ssl.* as Kafka's own tools take it; also "+propertiesEnv)
	flags.Lookup("client-properties").DefValue = ""
	flags.BoolVar(&f.flags.TLS, "tls", false, "TLS to the brokers")
	flags.StringVar(&f.flags.CAFile, "ca", "", "`file` with the authorities' certificates, PEM; by default the system's")
	flags.StringVar(&f.flags.CertFile, "cert", "", "`file` with a client certificate, PEM")
	flags.StringVar(&f.flags.KeyFile, "key", "", "`file` with the private key of --cert, PEM")
	flags.StringVar(&f.flags.ServerName, "server-name", "", "`name` in the brokers' certificates, where it is not their address")
	flags.StringVar(&f.flags.Mechanism, "sasl", "",
		"`mechanism`: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; user and password in "+userEnv+" and "+passwordEnv)
}

// args are the flags as they were given, for a process that this one starts and that has its environment.
func (f *securityFlags) args() []string {
	var args []string
	for _, a := range []struct{ flag, value string }{
		{"--client-properties", f.file},
		{"--ca", f.flags.CAFile},
		{"--cert", f.flags.CertFile},
		{"--key", f.flags.KeyFile},
		{"--server-name", f.flags.ServerName},
		{"--sasl", f.flags.Mechanism},
	} {
		if a.value != "" {
			args = append(args, a.flag, a.value)
		}
	}
	if f.flags.TLS {
		args = append(args, "--tls")
	}
	return args
}

// security puts flags, environment and file together.
func (f *securityFlags) security() (eventlog.Security, error) {
	var s eventlog.Security
	if f.file != "" {
		var err error
		if s, err = readProperties(f.file); err != nil {
			return s, usagef("--client-properties %w", err)
		}
	}
	override(&s.User, os.Getenv(userEnv))
	override(&s.Password, os.Getenv(passwordEnv))
	if info := os.Getenv(registryInfoEnv); info != "" {
		var ok bool
		if s.RegistryUser, s.RegistryPassword, ok = strings.Cut(info, ":"); !ok {
			return s, usagef("%s: takes user:password", registryInfoEnv)
		}
	}
	s.TLS = s.TLS || f.flags.TLS
	override(&s.CAFile, f.flags.CAFile)
	override(&s.CertFile, f.flags.CertFile)
	override(&s.KeyFile, f.flags.KeyFile)
	override(&s.ServerName, f.flags.ServerName)
	override(&s.Mechanism, f.flags.Mechanism)
	if s.Mechanism == "" { // the environment may have a user for another program
		s.User, s.Password = "", ""
	}
	return s, nil
}

func override(value *string, with string) {
	if with != "" {
		*value = with
	}
}

// readProperties reads what a client's properties say about security. Other settings are another
// program's; one about security that is not known here is an error, since it would not be kept.
func readProperties(file string) (eventlog.Security, error) {
	var s eventlog.Security
	load := properties.Loader{Encoding: properties.UTF8, DisableExpansion: true} // a password may have ${ in it
	p, err := load.LoadFile(file)
	if err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	for _, key := range p.Keys() {
		value, _ := p.Get(key)
		if err := setProperty(&s, key, value); err != nil {
			return s, fmt.Errorf("%s: %s: %w", file, key, err)
		}
	}
	protocol := p.GetString("security.protocol", "PLAINTEXT")
	if s.Mechanism != "" && !strings.HasPrefix(protocol, "SASL_") {
		return s, fmt.Errorf("%s: sasl.mechanism says who asks, and security.protocol %s does not: SASL_SSL does, and SASL_PLAINTEXT", file, protocol)
	}
	return s, nil
}

// simple are the properties that are one field.
var simple = map[string]func(s *eventlog.Security, value string){
	"sasl.mechanism":           func(s *eventlog.Security, v string) { s.Mechanism = v },
	"sasl.username":            func(s *eventlog.Security, v string) { s.User = v },
	"sasl.password":            func(s *eventlog.Security, v string) { s.Password = v },
	"ssl.ca.location":          func(s *eventlog.Security, v string) { s.CAFile = v },
	"ssl.truststore.location":  func(s *eventlog.Security, v string) { s.CAFile = v },
	"ssl.certificate.location": func(s *eventlog.Security, v string) { s.CertFile = v },
	"ssl.key.location":         func(s *eventlog.Security, v string) { s.KeyFile = v },
	"ssl.keystore.location":    func(s *eventlog.Security, v string) { s.CertFile, s.KeyFile = v, v },
}

func setProperty(s *eventlog.Security, key, value string) error {
	if set, ok := simple[key]; ok {
		set(s, value)
		return nil
	}
	switch key {
	case "security.protocol":
		return setProtocol(s, value)
	case "sasl.jaas.config":
		return setJAAS(s, value)
	case "ssl.truststore.type", "ssl.keystore.type":
		if value != "PEM" {
			return fmt.Errorf("%s cannot be read here: turn it into PEM", value)
		}
	case "basic.auth.user.info", "schema.registry.basic.auth.user.info":
		var ok bool
		if s.RegistryUser, s.RegistryPassword, ok = strings.Cut(value, ":"); !ok {
			return fmt.Errorf("takes user:password")
		}
	default:
		if strings.HasPrefix(key, "security.") || strings.HasPrefix(key, "sasl.") || strings.HasPrefix(key, "ssl.") {
			known := slices.Sorted(maps.Keys(simple))
			return fmt.Errorf("is not known here and would not be kept; known are security.protocol, sasl.jaas.config, %s",
				strings.Join(known, ", "))
		}
	}
	return nil
}

func setProtocol(s *eventlog.Security, value string) error {
	switch value {
	case "PLAINTEXT", "SASL_PLAINTEXT":
	case "SSL", "SASL_SSL":
		s.TLS = true
	default:
		return fmt.Errorf("%q is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL", value)
	}
	return nil
}

// login is what a JAAS configuration says of who asks, as Kafka's clients write it.
var login = regexp.MustCompile(`\b(username|password)\s*=\s*"((?:[^"\\]|\\.)*)"`)

func setJAAS(s *eventlog.Security, value string) error {
	for _, m := range login.FindAllStringSubmatch(value, -1) {
		said := regexp.MustCompile(`\\(.)`).ReplaceAllString(m[2], "$1")
		if m[1] == "username" {
			s.User = said
		} else {
			s.Password = said
		}
	}
	if s.User == "" || s.Password == "" {
		return fmt.Errorf(`takes … required username="…" password="…";`)
	}
	return nil
}
