// Trains the 1-D GAN of the web page from given weights on given numbers: what is asked comes in as JSON, the losses of
// each step, the weights at the end and D on a grid go out. Its argument is the address of the module.

const { GAN1D } = await import(process.argv[2]);
const { minibatch, hidden, weights, numbers, settings, grid, others } =
  JSON.parse(await new Response(process.stdin).text());
const flat = (values) => Float64Array.from(values);
const gan = new GAN1D({ minibatch, hidden });
const parameters = [["G", gan.G], ["D", gan.D]].flatMap(([player, network]) =>
  Object.entries(network.layers).flatMap(([name, layer]) => ["W", "b"].filter((part) => layer[part].length)
    .map((part) => [`${player}.${name}.${part}`, layer[part]])));
for (const [name, array] of parameters) array.set(flat(weights[name]));
const losses = numbers.map(({ D, G }) => {
  const turns = D.map(({ real, noise }) => ({ real: flat(real), noise: flat(noise) }));
  const { lossD, lossG } = gan.step({ D: turns, G: flat(G) }, settings);
  return [lossD, lossG];
});
const end = Object.fromEntries(parameters.map(([name, array]) => [name, [...array]]));
console.log(JSON.stringify({ losses, end, decision: [...gan.D.decision(flat(grid), flat(others))] }));
