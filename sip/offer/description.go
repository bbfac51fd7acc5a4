package offer

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

const (
	// bodyMax is the longest description read. A browser's is 6 kB with all its codecs; a PBX's 0.4 kB.
	bodyMax = 16 << 10
	// mediaMax is how many streams we answer: sound, picture, text, fax, presentation, and as many again.
	mediaMax = 10
)

// A description is the peer's SDP: what we use of it, checked.
type description struct {
	session *sdp.SessionDescription
	media   []mediaLine // as many as session.MediaDescriptions, in the same order
	times   []string    // values of the t= lines, written anew by us
}

// A mediaLine is one m= line (RFC 8866 section 5.14). All of its text is printable ASCII without spaces, so that it may
// stand in our answer.
type mediaLine struct {
	kind     string // "audio", "video", "image" ...
	port     uint16
	protocol string   // "RTP/AVP", "udptl" ...
	formats  []string // at least one
}

// sound reports whether the line is a stream of sound over plain RTP that is not switched off. RFC 3264 section 5.1:
// in an offer, port zero means that the stream is offered but must not be used; section 6: in an answer, refused.
func (m mediaLine) sound() bool { return m.kind == "audio" && m.protocol == "RTP/AVP" && m.port != 0 }

func parse(body []byte) (*description, error) {
	if len(body) > bodyMax {
		return nil, fmt.Errorf("%d bytes are more than %d", len(body), bodyMax)
	}
	text, media, err := admit(string(body))
	if err != nil {
		return nil, err
	}
	d := &description{session: new(sdp.SessionDescription), media: media}
	if err := d.session.UnmarshalString(text); err != nil {
		return nil, err
	}
	// The parser stops without error where the text ends, for example before t=.
	if len(d.session.TimeDescriptions) == 0 {
		return nil, errors.New("t= is missing")
	}
	if len(d.session.MediaDescriptions) != len(media) {
		return nil, errors.New("m= lines out of place")
	}
	// RFC 3264 section 6: the t= line in the answer must be that of the offer.
	for _, t := range d.session.TimeDescriptions {
		d.times = append(d.times, fmt.Sprintf("%d %d", t.Timing.StartTime, t.Timing.StopTime))
	}
	return d, nil
}

// admit lets only those lines through to the parser that we use, with our own line ends, and reads the m= lines.
// pion/sdp refuses a whole description for what RFC 8866 permits: media and protocols it does not know (fax: "m=image
// 4400 udptl t38"), unregistered b= types, a last line without end. Such streams are replaced by one it knows and that
// is never used.
func admit(body string) (text string, media []mediaLine, err error) {
	var b strings.Builder
	for i, line := range strings.Split(body, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue // an empty last line, and what some gateways put between the parts
		}
		if len(line) < 2 || line[1] != '=' {
			return "", nil, fmt.Errorf("line %d has no type", i+1)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return "", nil, fmt.Errorf("line %d has a control character", i+1)
		}
		switch line[0] {
		case 'v', 'o', 's', 't', 'c', 'a':
		case 'm':
			m, err := parseMediaLine(line[2:])
			if err != nil {
				return "", nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			if media = append(media, m); len(media) > mediaMax {
				return "", nil, fmt.Errorf("more than %d streams", mediaMax)
			}
			if !m.sound() {
				line = "m=audio 0 RTP/AVP 0"
			}
		default:
			continue
		}
		b.WriteString(line + "\r\n")
	}
	return b.String(), media, nil
}

func parseMediaLine(value string) (mediaLine, error) {
	fields := strings.Fields(value)
	if len(fields) < 4 {
		return mediaLine{}, errors.New("media, port, protocol or format is missing")
	}
	for _, field := range fields {
		if strings.ContainsFunc(field, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return mediaLine{}, errors.New("not ASCII")
		}
	}
	first, _, _ := strings.Cut(fields[1], "/") // "49170/2" is two ports; we take the first
	port, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return mediaLine{}, fmt.Errorf("port: %w", err)
	}
	return mediaLine{kind: fields[0], port: uint16(port), protocol: fields[2], formats: fields[3:]}, nil
}

// connection is the address of stream i: of the stream itself, or of the session (RFC 8866 section 5.7).
func (d *description) connection(i int) (netip.Addr, error) {
	c := d.session.MediaDescriptions[i].ConnectionInformation
	if c == nil {
		c = d.session.ConnectionInformation
	}
	if c == nil || c.Address == nil {
		return netip.Addr{}, errors.New("c= is missing")
	}
	host, _, _ := strings.Cut(c.Address.Address, "/") // a time to live, which only multicast has
	address, err := netip.ParseAddr(host)
	if err != nil {
		// RFC 8866 section 5.7 permits the name of a host; to ask the DNS is not for a pure function.
		return netip.Addr{}, fmt.Errorf("address %q: %w", host, ErrNoCommonCodec)
	}
	return address.Unmap().WithZone(""), nil
}

// attribute is the value of the first attribute key of stream i; ok is false without one.
func (d *description) attribute(i int, key string) (value string, ok bool) {
	return d.session.MediaDescriptions[i].Attribute(key)
}
