const { default: Sequencer } = require('@jest/test-sequencer');

/** Suites that wait for clocks: begun last, they would let one worker run on alone. */
const longest = /test\/e2e\//;

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const isLong = ({ path }) => Number(longest.test(path));
    return super.sort(tests).sort((one, other) => isLong(other) - isLong(one));
  }
};
