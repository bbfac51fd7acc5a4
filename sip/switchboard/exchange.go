package switchboard

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
)

// Bounds of one exchange.
const (
	requestTimeout   = 3 * time.Second
	knowledgeTimeout = 15 * time.Second
	knowledgeMax     = 4 << 20
	retryAfterMax    = time.Minute
)

// errBrokenOff is why something in the background ended early: the agent wants something.
var errBrokenOff = errors.New("broken off for the agent")

// A failure is why an exchange brought nothing.
type failure struct {
	problem sip.AgentProblem // SwitchboardAway, SwitchboardUntrusted, PhoneUnknown; NoProblem: it is up, but said no to this
	status  int              // of HTTP; 0 without an answer
	wait    time.Duration    // that it asked for, of 429 and 503
	cause   error
}

func (f *failure) Error() string { return f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }

// An answer is one of the 200s, or 304.
type answer struct {
	status int
	data   []byte
	tag    string
}

// exchange sends one request and reads its whole answer. The error is a *failure.
func (c *Client) exchange(ctx context.Context, method, path string, body []byte, tag string) (answer, error) {
	timeout, most := requestTimeout, int64(wire.BodyMax)
	if path == knowledgePath {
		timeout, most = knowledgeTimeout, knowledgeMax
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %v", timeout))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, &failure{problem: sip.SwitchboardAway, cause: err}
	}
	r.SetBasicAuth(c.config.Device, c.config.Secret)
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	if method == http.MethodPut {
		r.Header["Idempotency-Key"] = nil // net/http may send it again on a connection that has just been closed
	}
	response, err := c.http.Do(r)
	if err != nil {
		return answer{}, c.unanswered(ctx, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err != nil {
		return answer{}, c.unanswered(ctx, err)
	}
	if int64(len(data)) > most {
		return answer{}, &failure{problem: sip.SwitchboardAway, status: response.StatusCode, cause: fmt.Errorf("the answer has more than %d bytes", most)}
	}
	if s := response.StatusCode; s == http.StatusNotModified && tag != "" || s >= 200 && s < 300 {
		return answer{s, data, response.Header.Get("ETag")}, nil
	}
	return answer{}, c.declined(response, data)
}

// unanswered says why there is no answer.
func (c *Client) unanswered(ctx context.Context, err error) *failure {
	f := &failure{problem: sip.SwitchboardAway, cause: err}
	var unverified *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	switch {
	case ctx.Err() != nil:
		f.cause = context.Cause(ctx)
	case errors.As(err, &unverified):
		f.problem = sip.SwitchboardUntrusted
		f.cause = fmt.Errorf("the switchboard's certificate is not trusted: %w; it %s, and is checked against %s", unverified.Err, signer(unverified), c.authority)
	case errors.As(err, &noTLS), errors.Is(err, http.ErrSchemeMismatch):
		f.cause = errors.New("what answers at the switchboard's address speaks no TLS")
	}
	return f
}

// signer says who signed the certificate that was shown.
func signer(e *tls.CertificateVerificationError) string {
	if len(e.UnverifiedCertificates) == 0 {
		return "was not shown"
	}
	return fmt.Sprintf("was signed by %q", e.UnverifiedCertificates[0].Issuer.String())
}

// certificates are the names in a PEM file.
func certificates(data []byte) (names []string, err error) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return names, nil
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		names = append(names, certificate.Subject.String())
	}
}

// declined says what an answer means that is none of the 200s.
func (c *Client) declined(response *http.Response, data []byte) *failure {
	f := &failure{status: response.StatusCode, cause: fmt.Errorf("status %d", response.StatusCode)}
	if p, err := wire.DecodeProblem(data); err == nil && response.Header.Get("Content-Type") == wire.ProblemType {
		f.cause = fmt.Errorf("status %d: %s", response.StatusCode, p.Detail)
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		f.wait = min(time.Duration(min(seconds, 3600))*time.Second, retryAfterMax)
	}
	switch s := response.StatusCode; {
	case s == http.StatusUnauthorized:
		f.problem = sip.PhoneUnknown
	case s == http.StatusTooManyRequests:
		f.wait = max(f.wait, time.Second)
	case s < 400 || s >= 500:
		f.problem = sip.SwitchboardAway
	}
	return f
}

// senseless is an answer that cannot be understood.
func senseless(err error) *failure { return &failure{problem: sip.SwitchboardAway, cause: err} }
