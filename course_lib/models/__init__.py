"""One family a file: network, loss, sampler, in the paper's symbols."""
